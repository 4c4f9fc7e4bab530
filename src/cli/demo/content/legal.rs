//! A law firm searches its contracts and guidance.

/// A passage that search can find.
pub(in super::super) struct Passage {
    pub id: &'static str,
    pub source: &'static str,
    pub text: &'static str,
}

pub(in super::super) const PASSAGES: [Passage; 12] = [
    Passage {
        id: "msa-meridian-9.2",
        source: "Master Services Agreement, Meridian Freight, section 9.2",
        text: "The Supplier's total liability arising out of or in connection with this Agreement, whether in contract, tort or otherwise, shall in no event exceed \
               the Fees paid or payable in the twelve (12) months preceding the event giving rise to the claim. This limit shall not apply to liability for death or \
               personal injury, fraud, breach of clause 11 (Confidentiality), or the indemnities in clause 10.",
    },
    Passage {
        id: "msa-meridian-14.1",
        source: "Master Services Agreement, Meridian Freight, section 14.1",
        text: "Either party may terminate this Agreement for convenience upon ninety (90) days' written notice. Prepaid Fees for the period after the effective date of \
               termination shall be refunded pro rata, less any implementation discount granted under Schedule 2.",
    },
    Passage {
        id: "dpa-meridian-6.3",
        source: "Data Processing Agreement, Meridian Freight, section 6.3",
        text: "The Processor shall notify the Controller of a Personal Data Breach without undue delay and in any event within thirty-six (36) hours after becoming aware \
               of it, and shall provide the information required by Article 33(3) as it becomes available.",
    },
    Passage {
        id: "dpa-meridian-7.1",
        source: "Data Processing Agreement, Meridian Freight, section 7.1",
        text: "The Processor may engage Sub-processors listed in Annex III. It shall inform the Controller of any intended addition or replacement at least thirty (30) days \
               in advance. The Controller may object on reasonable grounds relating to data protection within fourteen (14) days.",
    },
    Passage {
        id: "lease-harbour-22",
        source: "Office lease, Harbour Street 40, clause 22",
        text: "The Tenant may assign this Lease or sublet the whole of the Premises with the Landlord's prior written consent, not to be unreasonably withheld or delayed, \
               provided that no rent arrears exist. Sharing occupation with a group company is permitted so long as no relationship of landlord and tenant arises.",
    },
    Passage {
        id: "lease-harbour-31",
        source: "Office lease, Harbour Street 40, clause 31",
        text: "The Tenant may determine this Lease on the fifth anniversary of the Term by giving not less than six months' prior written notice, provided that on the Break \
               Date the Tenant has paid the Basic Rent and given back vacant possession of the Premises.",
    },
    Passage {
        id: "emp-handbook-4",
        source: "Guidance note 4: restrictive covenants in employment contracts",
        text: "A non-compete of more than six months for staff below director level has rarely been upheld. It must protect a legitimate business interest and go no further \
               than reasonably necessary in duration, geography and activity. A court will not rewrite an excessive covenant; at most it severs words.",
    },
    Passage {
        id: "emp-handbook-7",
        source: "Guidance note 7: garden leave and notice",
        text: "Time spent on garden leave should be set off against post-termination restrictions. The contract must contain an express right to place the employee on garden \
               leave where the role depends on exercising skills.",
    },
    Passage {
        id: "spa-juniper-5.4",
        source: "Share Purchase Agreement, Juniper Labs, clause 5.4",
        text: "The Sellers shall not be liable for any Warranty Claim unless the liability for that claim exceeds EUR 25,000 and the aggregate of all such claims exceeds \
               EUR 250,000, in which case the Buyer may claim the whole amount and not only the excess.",
    },
    Passage {
        id: "spa-juniper-8.2",
        source: "Share Purchase Agreement, Juniper Labs, clause 8.2",
        text: "Notice of a Warranty Claim must be given within eighteen (18) months of Completion, and within seven (7) years for Tax Warranties. A claim is deemed withdrawn \
               unless proceedings are issued and served within nine (9) months of the notice.",
    },
    Passage {
        id: "lic-atlas-3.5",
        source: "Software licence, Atlas Mapping, section 3.5",
        text: "Licensee shall not use the Outputs to train, fine-tune or validate a machine learning model that competes with the Software. Aggregated statistics that do not \
               reproduce the Outputs are not restricted by this section.",
    },
    Passage {
        id: "ins-broker-2",
        source: "Memo: notification duties under the professional indemnity policy",
        text: "Circumstances that may give rise to a claim have to be notified within the policy period and as soon as reasonably practicable. A late notice of circumstances, \
               unlike a late notice of a claim, is a condition precedent only where the schedule says so.",
    },
];

/// A question: the passages that matter, by index, and the answer drawn from them.
pub(in super::super) struct Question {
    pub asked: &'static str,
    pub rewritten: &'static str,
    pub relevant: [usize; 2],
    pub answer: &'static str,
    /// How faithful a judge found the answer, in percent.
    pub faithfulness: u64,
}

pub(in super::super) const QUESTIONS: [Question; 7] = [
    Question {
        asked: "Is Meridian's liability capped if they leak our price list?",
        rewritten: "limitation of liability cap exceptions breach of confidentiality Meridian Freight MSA",
        relevant: [0, 2],
        answer: "No. Section 9.2 of the MSA caps the Supplier's liability at the fees of the preceding twelve months, but it excludes breach of clause 11 (Confidentiality) from the \
                 cap [msa-meridian-9.2]. A leak of the price list is a breach of confidentiality, so liability for it is unlimited. If the list contains personal data, the \
                 36-hour notification of the DPA applies as well [dpa-meridian-6.3].",
        faithfulness: 97,
    },
    Question {
        asked: "How fast must Meridian tell us about a data breach, and is that enough for our own 72 hours?",
        rewritten: "personal data breach notification deadline processor controller 72 hours",
        relevant: [2, 3],
        answer: "Meridian has to notify within 36 hours after becoming aware [dpa-meridian-6.3]. Your own 72 hours start when you become aware, as a rule with Meridian's notice, so the \
                 periods do not overlap to your disadvantage. Plan for the information to arrive in instalments: the clause lets Meridian deliver details as they become available.",
        faithfulness: 93,
    },
    Question {
        asked: "Can we let our sister company use two rooms in Harbour Street?",
        rewritten: "sublet share occupation group company office lease Harbour Street consent landlord",
        relevant: [4, 5],
        answer: "Yes, without the landlord's consent, as long as it stays an informal sharing: clause 22 permits sharing occupation with a group company if no relationship of landlord \
                 and tenant arises [lease-harbour-22]. So no sublease, no rent between the companies, no exclusive possession. Keep the rooms unlocked to your staff.",
        faithfulness: 95,
    },
    Question {
        asked: "What is the last day to give notice for the break in the Harbour Street lease if the term began on 1 March 2024?",
        rewritten: "break clause notice period fifth anniversary lease Harbour Street",
        relevant: [5, 4],
        answer: "The break date is the fifth anniversary, 1 March 2029. Not less than six months' written notice is needed [lease-harbour-31], so it must be given by 31 August 2028 at the \
                 latest. Two conditions bite on the break date itself: the basic rent is paid, and vacant possession is given. I would serve it in June 2028.",
        faithfulness: 90,
    },
    Question {
        asked: "Would a 12-month non-compete for a senior developer hold?",
        rewritten: "non-compete duration enforceability senior developer restrictive covenant",
        relevant: [6, 7],
        answer: "Probably not. Covenants above six months for staff below director level have rarely been upheld, and a court will not shorten an excessive one [emp-handbook-4]. Better: six \
                 months, limited to named competitors, with garden leave set off against it, for which the contract needs an express right [emp-handbook-7].",
        faithfulness: 96,
    },
    Question {
        asked: "Juniper: we found a EUR 40k warranty problem, 14 months after completion. Can we claim?",
        rewritten: "warranty claim threshold basket time limit notice share purchase agreement Juniper",
        relevant: [8, 9],
        answer: "In time, but below the basket. Notice has to be given within 18 months of completion [spa-juniper-8.2], so four months are left. The single claim exceeds EUR 25,000, yet the \
                 aggregate must exceed EUR 250,000 before anything is payable; it then tips, and the whole amount is due [spa-juniper-5.4]. Give notice now to preserve it and look for \
                 further claims.",
        faithfulness: 98,
    },
    Question {
        asked: "May our data team fine-tune a routing model with map tiles from Atlas?",
        rewritten: "use of outputs to train machine learning model restriction Atlas licence",
        relevant: [10, 11],
        answer: "Not if the routing model competes with the Atlas software: section 3.5 forbids training, fine-tuning or validating such a model with Outputs [lic-atlas-3.5]. Map tiles are \
                 Outputs. Statistics that do not reproduce them, such as average speeds by road class, are free. Whether your model competes is a question of fact; Atlas sells routing since \
                 version 7, so I would assume that it does and ask for a written consent.",
        faithfulness: 71,
    },
];

pub(in super::super) const INSTRUCTIONS: &str = "You answer questions of lawyers from the numbered passages only. Quote the id of every passage you rely on in square brackets. If \
the passages do not answer the question, say so. Do not give advice beyond them without marking it as your own.";
