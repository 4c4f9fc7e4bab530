//! A travel planner: one agent that hands parts of the work to others.

pub(in super::super) struct Trip {
    pub request: &'static str,
    pub city: &'static str,
    pub origin: &'static str,
    pub dates: (&'static str, &'static str),
    pub flights: &'static str,
    pub flight_choice: &'static str,
    pub hotels: &'static str,
    pub hotel_choice: &'static str,
    pub weather: &'static str,
    pub sights: &'static str,
    pub sights_choice: &'static str,
    pub plan: &'static str,
}

pub(in super::super) const PLANNER: &str = "You plan trips. Split the request among the flight, hotel and activity agents, then write one plan with prices, times and booking references. \
Stay within the budget; say so when you cannot.";
pub(in super::super) const SPECIALIST: &str = "You are one of several travel specialists. Use your tool, compare at least two options, and recommend one with a reason in one sentence.";

pub(in super::super) const TRIPS: [Trip; 4] = [
    Trip {
        request: "Four days in Lisbon for two, 4 to 8 March, from Hamburg, at most 1,600 euros in total. We like tiles, fado and good coffee; no early flights please.",
        city: "Lisbon",
        origin: "HAM",
        dates: ("2027-03-04", "2027-03-08"),
        flights: r#"{"offers":[{"id":"F1","out":"HAM 06:05 - LIS 08:25","back":"LIS 21:10 - HAM 01:20","price_eur":338},{"id":"F2","out":"HAM 11:40 - LIS 14:05","back":"LIS 15:20 - HAM 19:35","price_eur":412},{"id":"F3","out":"HAM 14:15 - LIS 18:50 (1 stop)","back":"LIS 12:00 - HAM 17:45 (1 stop)","price_eur":296}]}"#,
        flight_choice: "F2: direct both ways, leaves at 11:40, so nobody gets up at three; 412 euros for two, 116 more than the cheapest with a stop.",
        hotels: r#"{"hotels":[{"id":"H7","name":"Casa do Azulejo","area":"Alfama","rating":9.1,"price_eur":512},{"id":"H2","name":"Miradouro Rooms","area":"Graça","rating":8.6,"price_eur":428},{"id":"H5","name":"Avenida Plaza","area":"Liberdade","rating":8.9,"price_eur":790}]}"#,
        hotel_choice: "H7 Casa do Azulejo in Alfama: fado houses within five minutes on foot, rated 9.1, 512 euros for four nights.",
        weather: r#"{"city":"Lisbon","march":{"high_c":18,"low_c":11,"rain_days":8,"sunset":"18:35"}}"#,
        sights: r#"{"activities":[{"name":"National Tile Museum","price_eur":8,"closed":"Monday"},{"name":"Fado dinner, Rua dos Remédios","price_eur":55},{"name":"Sintra day trip","price_eur":34},{"name":"Coffee tasting in Marvila","price_eur":22}]}"#,
        sights_choice: "Tile museum on Friday (closed on Monday), coffee tasting in Marvila on Saturday, fado dinner on Saturday evening, Sintra on Sunday: 238 euros for two.",
        plan: "**Lisbon, 4 to 8 March, two people: 1,162 euros** (438 below your budget)\n\n- *Thursday* HAM 11:40 → LIS 14:05. Check in at Casa do Azulejo (Alfama). Walk up to the Graça viewpoint for sunset at 18:35.\n- *Friday* National Tile Museum; lunch in Beato; tram 28 back before five.\n- *Saturday* Coffee tasting in Marvila at 11; fado dinner at 20:30.\n- *Sunday* Sintra by train; take a jacket, it is cooler there.\n- *Monday* Slow breakfast. LIS 15:20 → HAM 19:35.\n\nFlights 412, hotel 512, activities 238. Eight rainy days in an average March: I left Friday afternoon free as a reserve.",
    },
    Trip {
        request: "A long weekend in Edinburgh with my parents (both 70), end of May, from Frankfurt. Not too many stairs.",
        city: "Edinburgh",
        origin: "FRA",
        dates: ("2027-05-27", "2027-05-31"),
        flights: r#"{"offers":[{"id":"F4","out":"FRA 09:30 - EDI 11:00","back":"EDI 11:45 - FRA 15:05","price_eur":702},{"id":"F9","out":"FRA 16:20 - EDI 20:05 (1 stop)","back":"EDI 06:10 - FRA 11:50 (1 stop)","price_eur":540}]}"#,
        flight_choice: "F4: direct at comfortable times for 702 euros for three; the cheaper one starts back at six in the morning with a change of planes.",
        hotels: r#"{"hotels":[{"id":"H1","name":"The Crescent House","area":"New Town","rating":9.0,"lift":true,"price_eur":1040},{"id":"H3","name":"Close Apartments","area":"Old Town","rating":8.7,"lift":false,"price_eur":760}]}"#,
        hotel_choice: "H1 The Crescent House: it has a lift and level streets around it; the apartments in the Old Town are on the third floor without one.",
        weather: r#"{"city":"Edinburgh","may":{"high_c":15,"low_c":8,"rain_days":12,"sunset":"21:38"}}"#,
        sights: r#"{"activities":[{"name":"Royal Botanic Garden","price_eur":0,"steps":"few"},{"name":"Castle","price_eur":24,"steps":"many, courtesy vehicle available"},{"name":"Royal Yacht Britannia","price_eur":23,"steps":"lift"},{"name":"Arthur's Seat","price_eur":0,"steps":"steep climb"}]}"#,
        sights_choice: "Botanic Garden, Britannia (with a lift) and the castle with its courtesy vehicle; not Arthur's Seat.",
        plan: "**Edinburgh, 27 to 31 May, three people: 1,883 euros**\n\n- *Thursday* FRA 09:30 → EDI 11:00, taxi to The Crescent House (lift, quiet street). Afternoon in the Botanic Garden, ten minutes by bus.\n- *Friday* The castle at opening time; ask at the gate for the courtesy vehicle to the upper ward.\n- *Saturday* Britannia in Leith by tram, level all the way; tea on board.\n- *Sunday* Coach to South Queensferry, boat under the bridges.\n- *Monday* EDI 11:45 → FRA 15:05.\n\nExpect 15 °C and a shower every other day. Nothing in this plan has more than 30 steps in one go.",
    },
    Trip {
        request: "Cheapest way to see the northern lights in February? One person, from Vienna, five days, max 900 euros.",
        city: "Tromsø",
        origin: "VIE",
        dates: ("2027-02-09", "2027-02-14"),
        flights: r#"{"offers":[{"id":"F2","out":"VIE 07:10 - TOS 14:25 (1 stop)","back":"TOS 15:05 - VIE 22:40 (1 stop)","price_eur":318},{"id":"F6","out":"VIE 10:20 - TOS 19:50 (1 stop)","back":"TOS 06:00 - VIE 13:15 (1 stop)","price_eur":287}]}"#,
        flight_choice: "F6: 287 euros and you still arrive before the lights start; the early return costs no night of watching.",
        hotels: r#"{"hotels":[{"id":"H8","name":"Sund Hostel","area":"centre","rating":8.4,"price_eur":265},{"id":"H4","name":"Arctic Cabins","area":"Kvaløya","rating":9.2,"price_eur":610}]}"#,
        hotel_choice: "H8 Sund Hostel: 265 euros for five nights with a kitchen; the cabins are darker but alone take two thirds of the budget.",
        weather: r#"{"city":"Tromsø","february":{"high_c":-1,"low_c":-7,"clear_nights":10,"sunset":"15:40"}}"#,
        sights: r#"{"activities":[{"name":"Northern lights minibus","price_eur":125},{"name":"Ersfjordbotn by bus 420","price_eur":7},{"name":"Fjellheisen cable car","price_eur":42}]}"#,
        sights_choice: "One guided minibus night (125 euros) for the best chance, two nights on your own in Ersfjordbotn by bus 420 (7 euros each way).",
        plan: "**Tromsø, 9 to 14 February: 747 euros**, 153 below your limit\n\n1. Flights F6, 287 euros.\n2. Sund Hostel, five nights, 265 euros; cook yourself, a dinner out is 30 euros.\n3. Tuesday: arrive, sleep. Wednesday: minibus with a guide who drives to clear sky, 125 euros.\n4. Thursday and Friday: bus 420 to Ersfjordbotn, dark and free. Saturday: cable car if it is clear, 42 euros.\n\nTen clear nights in an average February: with three tries the chance of seeing them at least once is about 73 %. Bring merino and a power bank; phones die at minus ten.",
    },
    Trip {
        request: "Plan a team offsite in Ghent for 12 people, two nights in January, travelling from Amsterdam by train. We need a meeting room on both days.",
        city: "Ghent",
        origin: "AMS",
        dates: ("2027-01-20", "2027-01-22"),
        flights: r#"{"offers":[{"id":"T1","out":"Amsterdam 09:10 - Ghent 11:49 (1 change)","back":"Ghent 16:11 - Amsterdam 18:50 (1 change)","price_eur":876},{"id":"T2","out":"Amsterdam 08:10 - Ghent 11:20 (2 changes)","back":"Ghent 17:05 - Amsterdam 20:14 (2 changes)","price_eur":708}]}"#,
        flight_choice: "T1: one change only, which matters with twelve people; 876 euros with the group fare.",
        hotels: r#"{"hotels":[{"id":"H2","name":"Monastery on the Lys","area":"Patershol","rating":9.0,"rooms":12,"meeting_room":true,"price_eur":3120},{"id":"H6","name":"Station Hotel","area":"Sint-Pieters","rating":8.1,"rooms":12,"meeting_room":true,"price_eur":2496}]}"#,
        hotel_choice: "H2 Monastery on the Lys: the meeting room is included on both days and seats sixteen; at the Station Hotel it costs 390 euros more.",
        weather: r#"{"city":"Ghent","january":{"high_c":6,"low_c":1,"rain_days":13,"sunset":"17:15"}}"#,
        sights: r#"{"activities":[{"name":"Altarpiece visit with guide, 12 people","price_eur":268},{"name":"Beer tasting at Gruut","price_eur":216},{"name":"Vegetarian cooking class","price_eur":660}]}"#,
        sights_choice: "The altarpiece with a guide on day one at 16:00 and the tasting at Gruut on day two: 484 euros for all, both indoors.",
        plan: "**Offsite in Ghent, 20 to 22 January, 12 people: 4,480 euros**\n\n- *Wednesday* train 09:10, Ghent 11:49; lunch at the monastery; workshop 13:00 to 15:30; the altarpiece at 16:00.\n- *Thursday* workshop 9:00 to 16:00 with lunch in the cloister; tasting at Gruut at 17:30.\n- *Friday* wrap-up until 12:00; train 16:11.\n\nTrains 876, rooms and meeting room 3,120, activities 484. Group fares need the names 14 days before. Three people said vegetarian, one coeliac: the kitchen has confirmed both.",
    },
];
