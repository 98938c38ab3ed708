//! Explores a system of machines, and reports on it.

use super::explore::Task;
use super::panics;
use super::tally::Judge;
use heisenbug_catalogue::{Class, Grade};
use heisenbug_engine::machines::{
    self, EndCount, Faults, Found, Label, Moment, Options, Path, Program, Stopped, What,
};
use heisenbug_explain::{CLOCKS, Executions, Network, OutcomeCount, REPLAYED, Report, Verdict};
use heisenbug_model::net::Handed;
use heisenbug_trace::{Event, Op, journal, one_line, source};

/// What an exploration of machines has found.
#[derive(Debug)]
pub struct Searched {
    outcomes: Vec<OutcomeCount>,
    states: u64,
    allowed: Vec<String>,
    stopped: Option<String>,
    worst: Option<Worst>,
    /// What must happen in some run, and happens in none.
    missing: Vec<String>,
    /// Whether there are streams.
    streams: bool,
}

/// The failure that needs the fewest faults, and of these the fewest steps.
#[derive(Debug)]
struct Worst {
    outcome: OutcomeCount,
    message: String,
    faults: Faults,
    actors: Vec<String>,
    events: Vec<Event>,
    /// How many of the last events happen again and again.
    again: usize,
    token: String,
}

/// Explores a system on this OS thread.
pub fn explore(handed: &Handed, task: &Task) -> Searched {
    panics::quietly(|| {
        let mut stopped = None;
        let mut go_on = |states| {
            // Whoever watches this process sees that it does not hang.
            journal::begin_execution();
            stopped = task.budget.exhausted(states, 0);
            stopped.is_none()
        };
        journal::begin_execution();
        let options = Options {
            cycles: true,
            audit: true,
            ..Options::default()
        };
        let found = machines::explore(&handed.program, &options, &mut go_on);
        let why = found.complete.err();
        let stopped = why.map(|why| stopped.unwrap_or_else(|| reason(why, &handed.program)));
        searched(handed, task, found, stopped)
    })
}

fn searched(handed: &Handed, task: &Task, found: Found, stopped: Option<String>) -> Searched {
    let program = &handed.program;
    // A copy: telling a failure asks whoever watches once more.
    let failures = handed.failures.borrow().clone();
    let mut outcomes = Vec::new();
    let mut worst = None;
    for end in &found.ends {
        let is_panic = match &end.label {
            Label::Panic { .. } => true,
            Label::Returned(label) | Label::Monitor(label) => failures.contains(label),
        };
        let outcome = outcome(end, task.judge, is_panic);
        if outcome.grade == Grade::Forbidden && worst.is_none() {
            worst = Some(((outcome.clone(), is_panic), end));
        }
        outcomes.push(outcome);
    }
    // What must happen in some run, and happens in none.
    let missing = match stopped {
        None => handed.not_reached(),
        Some(_) => Vec::new(),
    };
    outcomes.extend(missing.iter().map(|what| never(what)));
    // A run without an end.
    outcomes.extend(found.cycle.as_ref().map(|_| livelock()));
    let told = |outcome, faults, path| Worst::new(program, outcome, faults, path);
    let worst = match (worst, &found.cycle) {
        (Some((outcome, end)), _) => Some(told(outcome, end.faults, &end.path)),
        (None, Some(cycle)) => {
            let worst = told((livelock(), false), cycle.faults, &cycle.path);
            let way = machines::record(program, &cycle.path.first(cycle.begins));
            let rows = way.iter().filter(|moment| event(program, moment).is_some());
            let again = worst.events.len().saturating_sub(rows.count());
            Some(Worst { again, ..worst })
        }
        (None, None) => None,
    };
    outcomes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    Searched {
        outcomes,
        states: found.states,
        allowed: allowed(program),
        stopped,
        worst,
        missing,
        streams: !program.streams.is_empty(),
    }
}

fn never(what: &str) -> OutcomeCount {
    OutcomeCount {
        label: format!("never: {what}"),
        grade: Grade::Forbidden,
        class: Some(Class::Assertion),
        count: 0,
        place: None,
    }
}

fn outcome(end: &EndCount, judge: Judge, is_panic: bool) -> OutcomeCount {
    let (label, class, grade) = match (&end.label, judge) {
        (Label::Panic { message, .. }, _) => failed(message),
        (Label::Returned(label) | Label::Monitor(label), _) if is_panic => failed(label),
        // Whoever watches calls it a failure, unless the bug's list knows better.
        (Label::Monitor(label), Judge::Open) => graded(label, Grade::Forbidden),
        (Label::Returned(label) | Label::Monitor(label), _) => graded(label, judge.grade(label)),
    };
    OutcomeCount {
        label,
        grade,
        class,
        count: end.count,
        place: None,
    }
}

fn graded(label: &str, grade: Grade) -> (String, Option<Class>, Grade) {
    let class = (grade == Grade::Forbidden).then_some(Class::Assertion);
    (label.to_owned(), class, grade)
}

fn failed(message: &str) -> (String, Option<Class>, Grade) {
    let class = match message.starts_with("assertion") || panics::was_assertion(message) {
        true => Class::Assertion,
        false => Class::Panic,
    };
    (one_line(message), Some(class), Grade::Forbidden)
}

fn livelock() -> OutcomeCount {
    OutcomeCount {
        label: Class::Livelock.words().to_owned(),
        grade: Grade::Forbidden,
        class: Some(Class::Livelock),
        count: 1,
        place: None,
    }
}

impl Worst {
    fn new(
        program: &Program,
        (outcome, is_panic): (OutcomeCount, bool),
        faults: Faults,
        path: &Path,
    ) -> Worst {
        let message = match (outcome.class, is_panic) {
            (Some(Class::Livelock), _) => {
                "nothing goes wrong any more, and the machines go on for ever".to_owned()
            }
            (_, true) => outcome.label.clone(),
            (_, false) => format!("the outcome is \"{}\"", outcome.label),
        };
        let moments = machines::record(program, path);
        let name = |machine: usize| program.machines[machine].name.clone();
        Worst {
            message,
            faults,
            actors: (0..program.machines.len()).map(name).collect(),
            events: moments
                .iter()
                .filter_map(|moment| event(program, moment))
                .collect(),
            again: 0,
            token: path.to_string(),
            outcome,
        }
    }
}

impl Searched {
    /// The report on it. With a token it shows that one run, and says nothing of others.
    pub fn report(self, token: Option<&str>) -> Report {
        let mut report = Report {
            outcomes: self.outcomes,
            executions: Executions {
                sc: None,
                weak: Some(self.states),
            },
            complete: self.stopped.is_none(),
            stopped: self.stopped,
            network: Some(Network {
                states: self.states,
                allowed: self.allowed,
                needed: None,
                again: 0,
            }),
            ..Report::empty()
        };
        let is_asked_for = |worst: &Worst| token.is_none_or(|token| token == worst.token);
        if let Some(worst) = self.worst.filter(is_asked_for) {
            report.verdict = Verdict::Fails;
            report.class = worst.outcome.class;
            report.outcome = Some(worst.outcome.label);
            report.message = Some(worst.message);
            report.actors = worst.actors;
            report.counterexample = worst.events;
            report.token = Some(worst.token);
            if let Some(network) = &mut report.network {
                network.needed = Some(in_words(&worst.faults));
                network.again = worst.again as u64;
            }
        } else if let (Some(what), None) = (self.missing.first(), token) {
            let never = never(what);
            report.verdict = Verdict::Fails;
            report.class = never.class;
            report.outcome = Some(never.label);
            report.message = Some(format!(
                "it must happen in some run, and happens in none: {what}"
            ));
        } else if report.complete {
            report.verdict = Verdict::Holds;
            if self.streams {
                let cut = "reads from streams end where a write does, or up to two bytes off, and not everywhere";
                report.notes.push(cut.to_owned());
            }
        }
        match (token, report.verdict) {
            (None, _) => {}
            (Some(_), Verdict::Fails) => report.stopped = Some(REPLAYED.to_owned()),
            (Some(_), _) => {
                report.verdict = Verdict::Unknown;
                report.outcomes.clear();
                report.stopped = Some("no failing run that is shown has that token".to_owned());
            }
        }
        report.complete &= token.is_none();
        report
    }
}

/// Why not everything was explored.
fn reason(why: Stopped, program: &Program) -> String {
    let name = |machine: usize| &program.machines[machine].name;
    match why {
        Stopped::States => "stopped at more states than are kept".to_owned(),
        Stopped::Asked => "stopped by the engine".to_owned(),
        Stopped::Effects { machine } => {
            format!("stopped: {} goes on and on without waiting", name(machine))
        }
        Stopped::Inputs { machine } => format!(
            "stopped: {} goes on and on; if it serves for ever, it has to say what it remembers",
            name(machine)
        ),
        Stopped::NoStack => "stopped: there is no memory for another stack".to_owned(),
        Stopped::Nondeterministic { machine, at } => format!(
            "stopped: {} did something else with the same messages{}; a machine must not depend on time, \
             randomness or other outside state",
            name(machine),
            at.map(|at| format!(" at {}", line(at))).unwrap_or_default()
        ),
        Stopped::Forgets { machine, at } => format!(
            "stopped: what {} says at {} that it remembers is not all that it remembers",
            name(machine),
            line(at)
        ),
    }
}

fn line(at: heisenbug_engine::Place) -> String {
    let (file, line, _) = source::place(at);
    format!("{file}:{line}")
}

/// What may go wrong in a system.
fn allowed(program: &Program) -> Vec<String> {
    let mut allowed = in_words(&program.faults);
    if program.machines.iter().any(|machine| machine.skew > 0) {
        allowed.push(CLOCKS.to_owned());
    }
    allowed
}

/// "1 loss", "2 crashes": what went wrong, or may.
fn in_words(faults: &Faults) -> Vec<String> {
    let kinds = [
        (faults.losses, "loss", "losses"),
        (faults.duplicates, "duplicate", "duplicates"),
        (faults.crashes, "crash", "crashes"),
        (
            faults.stops,
            "machine stopped for good",
            "machines stopped for good",
        ),
        (faults.early, "early timer", "early timers"),
        (faults.disk_errors, "disk error", "disk errors"),
    ];
    let some = kinds.into_iter().filter(|(number, ..)| *number > 0);
    some.map(|(number, one, many)| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    })
    .collect()
}

/// A moment of a run as an operation. Not all are worth a row.
fn event(program: &Program, moment: &Moment) -> Option<Event> {
    let name = |machine: usize| program.machines[machine].name.clone();
    let stream = |stream: &usize| Some(program.streams[*stream].name.clone());
    let quoted = |bytes: &[u8]| format!("\"{}\"", bytes.escape_ascii());
    // In one line.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\n', "⏎");
    let of = |number: u32| Some(format!("#{}", number + 1));
    // What was done, to or by whom, with what, and what else is to be said.
    let (op, call, object, value, note) = match &moment.what {
        What::Started => return None,
        What::Returned(result) if result == "()" => return None,
        What::Restarted { files } => {
            let files = files
                .iter()
                .map(|(name, bytes)| format!("{name} = {}", text(bytes).trim()));
            let files = files.collect::<Vec<_>>().join(", ");
            let files = (!files.is_empty()).then_some(files);
            (Op::Restart, "restart", None, None, files)
        }
        What::Sent { to, number, shown } => (
            Op::Post,
            "send",
            Some(name(*to)),
            Some(shown.clone()),
            of(*number),
        ),
        What::Received {
            from,
            number,
            shown,
            again,
        } => {
            let op = if *again {
                Op::DeliverAgain
            } else {
                Op::Deliver
            };
            (
                op,
                "receive",
                Some(name(*from)),
                Some(shown.clone()),
                of(*number),
            )
        }
        What::Lost {
            from,
            number,
            shown,
        } => (
            Op::Lose,
            "lose",
            Some(name(*from)),
            Some(shown.clone()),
            of(*number),
        ),
        What::TimedOut { early } | What::Slept { early } => {
            let op = if *early {
                Op::TimerFiresEarly
            } else {
                Op::TimerFires
            };
            (op, "timer", None, None, None)
        }
        What::Chose(way) => (Op::Choose, "choose", None, Some(way.to_string()), None),
        What::Observed(shown) => (Op::Tell, "tell", None, Some(shown.clone()), None),
        What::Streamed { stream: to, bytes } => (
            Op::StreamWrite,
            "write_all",
            stream(to),
            Some(quoted(bytes)),
            None,
        ),
        What::Read {
            stream: from,
            bytes,
            left,
        } => {
            let left = (!left.is_empty()).then(|| quoted(left));
            match bytes.as_slice() {
                [] => (Op::StreamEnds, "read", stream(from), None, None),
                _ => (
                    Op::StreamRead,
                    "read",
                    stream(from),
                    Some(quoted(bytes)),
                    left,
                ),
            }
        }
        What::Wrote { file, bytes } => (
            Op::DiskWrite,
            "write",
            Some(file.clone()),
            Some(text(bytes)),
            None,
        ),
        What::Appended { file, bytes } => (
            Op::DiskAppend,
            "append",
            Some(file.clone()),
            Some(text(bytes)),
            None,
        ),
        What::Synced { file, ok: true } => (Op::DiskSync, "sync", Some(file.clone()), None, None),
        What::Synced { file, ok: false } => {
            (Op::DiskSyncFails, "sync", Some(file.clone()), None, None)
        }
        What::Renamed { from, to } => (
            Op::DiskRename,
            "rename",
            Some(from.clone()),
            Some(to.clone()),
            None,
        ),
        What::Removed { file } => (Op::DiskRemove, "remove", Some(file.clone()), None, None),
        What::DirSynced => (
            Op::DiskSync,
            "sync_dir",
            Some("the names".to_owned()),
            None,
            None,
        ),
        What::Clock(time) => (Op::Clock, "now", None, Some(time.to_string()), None),
        What::Crashed => (Op::Crash, "crash", None, None, None),
        What::Stopped => (Op::Stop, "stop", None, None, None),
        What::Panicked(message) => (Op::Panic, "panic", None, None, Some(message.clone())),
        What::Returned(result) => (Op::Return, "return", None, Some(result.clone()), None),
    };
    let (file, line, column) = match (moment.at, op) {
        (Some(at), _) => source::place(at),
        // It was the last one when the run was followed.
        (None, Op::Panic) => panics::last_place(),
        (None, _) => Default::default(),
    };
    Some(Event {
        actor: name(moment.machine),
        op,
        call: call.to_owned(),
        object,
        read: None,
        value,
        newest: None,
        ordering: None,
        file,
        line,
        column,
        note,
        wakes: None,
        held_by: Vec::new(),
        inside: None,
        contents: None,
        changed: None,
    })
}
