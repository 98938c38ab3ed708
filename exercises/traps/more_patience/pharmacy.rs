// The pharmacy on the phone
//
// A nurse asks the pharmacy for a dose. If it takes too long, she hangs up, and asks something else. One day she
// asked about the drops, hung up, asked about the pills, and was told 20. That was the drops.

use heisenbug::net::Machine;
use std::time::Duration;

/// How long the nurse waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The dose of each medicine.
fn dose(medicine: &str) -> u32 {
    match medicine {
        "drops" => 20,
        "pills" => 2,
        _ => 0,
    }
}

/// To the pharmacy: what is the dose of this medicine?
#[derive(Clone, Debug)]
pub struct Question(&'static str);

/// To the nurse: so much.
#[derive(Clone, Debug)]
pub struct Answer(u32);

/// What the nurse keeps in mind between two questions.
#[derive(Default)]
pub struct Nurse {}

/// Asks for a dose. `None` if it takes too long.
pub fn ask(me: &Machine, _nurse: &mut Nurse, medicine: &'static str) -> Option<u32> {
    me.send("pharmacy", Question(medicine));
    let (_, Answer(dose)) = me.receive_timeout(PATIENCE)?;
    Some(dose)
}

/// Answers a question.
pub fn answer(me: &Machine, from: &'static str, question: Question) {
    let Question(medicine) = question;
    me.send(from, Answer(dose(medicine)));
}
