//! One long talk of 25 turns: somebody learns to bake bread with an assistant.

pub(in super::super) const INSTRUCTIONS: &str = "You are a patient baking teacher. Answer in two to four sentences, ask back when something that matters is missing, and remember what the learner \
has told you: kitchen, flour, results.";

/// Question and answer of each turn.
pub(in super::super) const TURNS: [(&str, &str); 25] = [
    (
        "Hi, I'd like to bake my first sourdough. Where do I start?",
        "Welcome! You start with a starter: flour and water that wild yeast moves into. It takes about a week before you can bake with it. What flour do you have at home, and how warm is your kitchen?",
    ),
    (
        "I have whole rye and plain white flour. The kitchen is about 20 degrees.",
        "Perfect: rye wakes a starter quickly. Mix 50 g of whole rye with 50 g of lukewarm water in a jar, cover it loosely and leave it for 24 hours. At 20 °C things go a little slower, so don't worry if nothing happens on day two.",
    ),
    (
        "Does it matter if my tap water smells of chlorine?",
        "A little. Chlorine slows the yeast down; let a jug of water stand open overnight and it is gone. If your water works uses chloramine it stays, and then filtered water is the better choice.",
    ),
    (
        "OK day 2, there are a few bubbles already, smells like wet hay.",
        "Great sign! That is mostly bacteria, not yeast yet, hence the hay. Throw away half, feed the rest with 50 g of rye and 50 g of water, and mark the level with a rubber band so that you can see it rise.",
    ),
    (
        "Why do I have to throw half away? Feels like a waste.",
        "Without it you would have two kilos by the weekend, and the fresh flour would be too little for all that hungry culture. Keep the leftover in the fridge: it makes excellent pancakes and crackers. From day five on it can even go into bread.",
    ),
    (
        "Day 4: it doubled yesterday but today it does nothing at all. Did I kill it?",
        "No, this is the classic lull. The first bacteria have died of the acid they made, and the yeast has not taken over yet. Keep feeding once a day at the same time; in two or three days it moves again.",
    ),
    (
        "You were right, day 6 and it doubles in eight hours. Smells like apples!",
        "Congratulations, you have a starter! Apples mean yeast and a little alcohol, just right. For two days feed it twice a day, half rye and half white, so that it gets strong, then we bake.",
    ),
    (
        "Which recipe would you take for the first loaf?",
        "Keep it simple: 400 g of white flour, 100 g of whole rye, 350 g of water, 100 g of starter, 10 g of salt. That is 70 % water, soft but still easy to shape. Do you have a heavy pot with a lid for baking?",
    ),
    (
        "Yes, a cast iron one, 24 cm. And a kitchen scale.",
        "Then you have everything. 24 cm is ideal for 500 g of flour. Feed your starter tonight at ten, so that it peaks around six in the morning.",
    ),
    (
        "Does the salt go in right away?",
        "Better after half an hour. Mix flour and water first and let it rest: the gluten forms on its own and the dough becomes smooth without kneading. Then work in the starter and the salt with wet hands.",
    ),
    (
        "The dough is super sticky, is that normal?",
        "With 20 % rye, yes: rye does not form gluten, it glues. Don't add flour! Wet your hands and give it a fold every 30 minutes, four times; after the third it will hold together.",
    ),
    (
        "After the 4th fold it's smooth and holds together. Now what?",
        "Now it rests until it has grown by half, not doubled. At 20 °C that takes about five to six hours after mixing. Look for a domed edge, bubbles at the side and a gentle wobble when you shake the bowl.",
    ),
    (
        "It's been six hours and it grew maybe 30 percent.",
        "Then give it more time, the dough decides and not the clock. Put the bowl into the oven with only the light on: it gets to about 26 °C there. Check every half hour.",
    ),
    (
        "Now it's wobbly! How do I shape it?",
        "Flour the top, turn it out upside down, fold the edges to the middle like an envelope, then roll it towards you so that the skin tightens. Ten seconds of rest, then drag it once more. It goes seam up into a bowl with a floured cloth.",
    ),
    (
        "Can it go in the fridge overnight? I'm tired.",
        "Yes, that's even better: 8 to 14 hours at 5 °C give more taste and make scoring easier. Cover it well, or the skin dries out.",
    ),
    (
        "Good morning! It barely rose in the fridge. Bake or wait?",
        "Bake. In the fridge it hardly rises, and the rest happens in the oven. Heat the oven with the pot inside to 250 °C for 45 minutes, and bake the dough straight from the cold.",
    ),
    (
        "How deep do I cut?",
        "About one centimetre, with a razor blade held flat, in one confident line from end to end, slightly off the middle. A shallow hesitant cut closes again, and the bread then bursts at the side.",
    ),
    (
        "It's in. When does the lid come off?",
        "After 25 minutes. Then turn down to 230 °C and bake another 20 without the lid, until the crust is really brown. Darker than you think: that is where the taste is.",
    ),
    (
        "It looks amazing!! But the bottom is almost black.",
        "Hooray! The pot's bottom gets hotter than the air. Next time slide a baking sheet onto the rack below after the first 20 minutes, or put a spoonful of semolina under the paper. You can rasp the black part off with a grater.",
    ),
    (
        "I cut it after 20 min and the inside is a bit gummy.",
        "That is hard to resist, I know. The crumb sets while it cools, and with rye in it that takes at least two hours. If it is still gummy when cold, bake five minutes longer next time: aim at 97 °C in the middle.",
    ),
    (
        "There are huge holes at the top and it's dense below. What went wrong?",
        "That is the pattern of a dough that was a bit young: little gas everywhere except where it collected under the skin. It fits your cool kitchen. Let it grow to a good 50 % before shaping, and press the big bubbles out.",
    ),
    (
        "If I want to use 50% whole rye next time, what changes?",
        "Quite a lot: more water (78 %), no folding because there is little gluten, and it rises faster and then tips over. Bake it in a tin. For a first step go to 30 %, and you can keep shaping it by hand.",
    ),
    (
        "How do I keep the starter if I only bake on weekends?",
        "In the fridge. Feed it on Sunday with twice its weight in flour, leave it an hour at room temperature, then put it away. On Friday evening take it out and feed it once or twice before you bake. Up to three weeks without feeding does no harm.",
    ),
    (
        "Can you sum up my recipe with the changes for my kitchen?",
        "Gladly. 400 g white, 100 g rye, 350 g water, 100 g starter, 10 g salt. Rest 30 min, add salt, four folds in two hours, then in the oven with the light on until it has grown by 50 % (your kitchen: about seven hours). Shape, fridge overnight, cut 1 cm deep, 250 °C with lid 25 min, 230 °C without lid 25 min, baking sheet below after 20 min. Cool for two hours!",
    ),
    (
        "Thank you! My family ate half of it already :)",
        "That is the best review a bread can get. Write down the times of this loaf: with your next one you will see which change did what. Have fun, and greetings to the starter!",
    ),
];
