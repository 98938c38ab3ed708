// The pharmacy on the phone
//
// A nurse asks the pharmacy for a dose. If it takes too long, she hangs up, and asks something else. One day she
// asked about the drops, hung up, asked about the pills, and was told 20. That was the drops.

use heisenbug::net::Machine;
use std::time::Duration;

/// How long the nurse waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The dose of each medicine.
fn dose(medicine: &str) -> u32 {
    match medicine {
        "drops" => 20,
        "pills" => 2,
        _ => 0,
    }
}

/// To the pharmacy: what is the dose of this medicine? The answer has the same number.
#[derive(Clone, Debug)]
pub struct Question(u32, &'static str);

/// To the nurse: so much.
#[derive(Clone, Debug)]
pub struct Answer(u32, u32);

/// What the nurse keeps in mind between two questions.
#[derive(Default)]
pub struct Nurse {
    questions: u32,
}

/// Asks for a dose. `None` if it takes too long.
pub fn ask(me: &Machine, nurse: &mut Nurse, medicine: &'static str) -> Option<u32> {
    nurse.questions += 1;
    me.send("pharmacy", Question(nurse.questions, medicine));
    loop {
        let (_, Answer(question, dose)) = me.receive_timeout(PATIENCE)?;
        // An answer to an earlier question is of no use any more.
        if question == nurse.questions {
            return Some(dose);
        }
    }
}

/// Answers a question.
pub fn answer(me: &Machine, from: &'static str, question: Question) {
    let Question(number, medicine) = question;
    me.send(from, Answer(number, dose(medicine)));
}
