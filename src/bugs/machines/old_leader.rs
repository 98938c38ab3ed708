//! # Old leader
//!
//! Three members keep a text, and what two of them have is stored. Ann leads. Bob hears nothing from her for too long,
//! and asks the others for their votes, and for what they have. Cat has nothing, and votes for him. But Ann is only
//! slow. Her order comes to Cat at last, and Cat obeys her, too. Ann tells her client that tea is stored. Then comes
//! Bob's order, and Cat has coffee.
//!
//! It is a *lost update*: Bob has asked what there is, writes what fits that, and what was stored in between is gone. A
//! lease has one store that can refuse it. Here the members are the store, and each has to know whom it has left.
//!
//! **Where it happened.** Tarantool, 2022: a node that had heard of a newer term still confirmed what came from the old
//! leader. The first protocol of MongoDB's replicas had no terms, and lost writes that a majority had.
//!
//! **Why.** Nobody can know that he has been replaced. Those who have replaced him can, and have to refuse him.
//!
//! **Who sees it.** A check in which one timer is early. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const MEMBERS: [&str; 3] = ["ann", "bob", "cat"];

/// How long Bob waits for a word of the leader.
const PATIENCE: Duration = Duration::from_secs(1);

/// Each election begins a new term. Ann leads in the first one.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Term(u32);

/// Between members.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// Vote for me, in this term.
    Elect(Term),
    /// You have my vote, and this is what I have.
    Vote(Option<&'static str>),
    /// The leader of this term wants this text stored.
    Store(Term, &'static str),
    Stored(Term),
    Refused,
}

/// What a member knows: the latest term of which it has heard, and the text. None starts again here, so none syncs.
#[derive(Debug, Hash)]
pub struct Member {
    term: Term,
    text: Option<&'static str>,
}

impl Member {
    fn new() -> Member {
        Member {
            term: Term(1),
            text: None,
        }
    }

    fn store(&mut self, me: &Machine, text: &'static str) {
        self.text = Some(text);
        me.disk().write("text", text);
    }
}

/// How a member follows the word of another one.
type Obey = fn(&Machine, &mut Member, &str, &Word);

pub mod buggy {
    use super::super::net::Machine;
    use super::{Member, Word};

    pub fn obey(me: &Machine, member: &mut Member, who: &str, word: &Word) {
        match *word {
            Word::Elect(term) => {
                member.term = term;
                me.send(who, Word::Vote(member.text));
            }
            Word::Store(term, text) => {
                member.store(me, text);
                me.send(who, Word::Stored(term));
            }
            Word::Vote(_) | Word::Stored(_) | Word::Refused => {}
        }
    }
}

pub mod trap_leader_looks {
    use super::{Member, Term};

    pub use super::buggy::obey;

    /// Whether a leader still leads, as far as it knows. It may be the last one to hear of another.
    pub fn still_leads(member: &Member, term: Term) -> bool {
        member.term == term
    }
}

pub mod trap_empty_votes {
    use super::super::net::Machine;
    use super::{Member, Word, fixed_terms};

    pub fn obey(me: &Machine, member: &mut Member, who: &str, word: &Word) {
        match *word {
            Word::Elect(term) if term > member.term => {
                member.term = term;
                // The new leader does not learn what the old one has stored.
                me.send(who, Word::Vote(None));
            }
            _ => fixed_terms::obey(me, member, who, word),
        }
    }
}

pub mod fixed_terms {
    use super::super::net::Machine;
    use super::{Member, Word, buggy};

    pub fn obey(me: &Machine, member: &mut Member, who: &str, word: &Word) {
        match *word {
            // From its vote on, nobody from an older term gets a text in.
            Word::Elect(term) | Word::Store(term, _) if term < member.term => {
                me.send(who, Word::Refused);
            }
            _ => buggy::obey(me, member, who, word),
        }
    }
}

fn send_others(me: &Machine, word: &Word) {
    for other in MEMBERS.into_iter().filter(|other| *other != me.name()) {
        me.send(other, word.clone());
    }
}

/// Gets a text stored by another member too. Returns it, if that succeeds.
fn lead(
    me: &Machine,
    mut member: Member,
    text: &'static str,
    obey: Obey,
    still_leads: fn(&Member, Term) -> bool,
) -> &'static str {
    let term = member.term;
    member.store(me, text);
    send_others(me, &Word::Store(term, text));
    while still_leads(&member, term) {
        match me.remember(&(term, text, &member)).receive() {
            (_, Word::Stored(in_term)) if in_term == term => return text,
            (_, Word::Refused) => break,
            (who, word) => obey(me, &mut member, who, &word),
        }
    }
    "replaced"
}

/// Follows, unless no leader can be heard.
fn bob(me: &Machine, obey: Obey, still_leads: fn(&Member, Term) -> bool) -> &'static str {
    let mut member = Member::new();
    if let Some((who, word)) = me.receive_timeout(PATIENCE) {
        obey(me, &mut member, who, &word);
        return "follows";
    }
    member.term = Term(2);
    send_others(me, &Word::Elect(member.term));
    loop {
        match me.remember(&("candidate", &member)).receive() {
            // With his own that makes two.
            (_, Word::Vote(found)) => {
                return lead(me, member, found.unwrap_or("coffee"), obey, still_leads);
            }
            (who, word) => obey(me, &mut member, who, &word),
        }
    }
}

fn cat(me: &Machine, obey: Obey) {
    let mut member = Member::new();
    loop {
        let (who, word) = me.remember(&member).receive();
        obey(me, &mut member, who, &word);
    }
}

/// Three members, one of whom may think too early that their leader is dead.
fn scenario(obey: Obey, still_leads: fn(&Member, Term) -> bool) -> String {
    System::new()
        .machine("ann", move |me| {
            lead(me, Member::new(), "tea", obey, still_leads)
        })
        .machine("bob", move |me| bob(me, obey, still_leads))
        .machine("cat", move |me| cat(me, obey))
        .early_timers(1)
        .outcome(|end| {
            let said = ["ann", "bob"].map(|leader| end.returned(leader).unwrap_or_default());
            let texts = MEMBERS.map(|member| end.file(member, "text").unwrap_or_default());
            let mut stored =
                { said.iter() }.filter(|said| ["tea", "coffee"].contains(&said.as_str()));
            let have = |text: &String| texts.iter().filter(|has| *has == text).count();
            match (stored.clone().count(), stored.all(|text| have(text) >= 2)) {
                (0, _) => "nothing is stored",
                (_, true) => "what is stored stays",
                (_, false) => "a stored text is gone",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "old-leader",
    shape: Shape::LostUpdate,
    scale: Scale::Machines,
    summary: "a leader that was replaced does not know it, and its order is obeyed",
    file: file!(),
    source: include_str!("old_leader.rs"),
    references: &[
        "L. Lamport, The Part-Time Parliament (ACM Transactions on Computer Systems, 1998)",
        "D. Ongaro and J. Ousterhout, In Search of an Understandable Consensus Algorithm (USENIX ATC 2014): terms",
        "tarantool/tarantool#7253: Old leader might confirm data not present on new leader (2022)",
        "K. Kingsbury, Jepsen: MongoDB 3.4.0-rc3 (2017)",
    ],
    outcomes: &[
        Outcome::acceptable(
            "what is stored stays",
            "two of three have each text of which a leader says that it is stored",
        ),
        Outcome::forbidden(
            "a stored text is gone",
            "a leader has said that it is stored, and another leader had it replaced",
        ),
        Outcome::forbidden("nothing is stored", "no leader gets two of three"),
    ],
    schedule: "Bob hears nothing, and Cat votes for him. Ann's order arrives, and Cat stores tea. Bob's arrives, and it is coffee.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a stored text is gone"),
            "members obey whoever says that he leads",
            || scenario(buggy::obey, |_, _| true),
        ),
        Variant::trap(
            "trap_leader_looks",
            Expected::outcome("a stored text is gone"),
            "a leader stops as soon as it hears of a newer term: others hear of it first",
            || scenario(trap_leader_looks::obey, trap_leader_looks::still_leads),
        ),
        Variant::trap(
            "trap_empty_votes",
            Expected::outcome("a stored text is gone"),
            "members refuse older terms, and a vote does not tell what its voter has",
            || scenario(trap_empty_votes::obey, |_, _| true),
        ),
        Variant::fixed(
            "fixed_terms",
            "members refuse older terms, and a new leader goes on with what it finds",
            || scenario(fixed_terms::obey, |_, _| true),
        ),
    ],
};
