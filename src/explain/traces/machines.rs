//! What is known of machines: the messages under way, what is under way in streams, whether each machine
//! runs, and what it sees on its disk.

use super::super::report::Report;
use super::itf::Variable;
use heisenbug_trace::{Event, Op};
use serde_json::json;
use std::collections::BTreeMap;

/// Machines on a network. Nothing of it is there for threads and for transactions.
pub struct Machines {
    /// The messages under way, with their numbers, in the order in which they were sent.
    network: Option<Vec<(String, String)>>,
    /// What was written to each stream, and not yet read.
    streams: BTreeMap<String, String>,
    all: Vec<Machine>,
}

struct Machine {
    name: String,
    status: String,
    /// The files, if it is known to have a disk. Those that were there from the start are not known.
    disk: Option<BTreeMap<String, String>>,
}

/// Stands for contents that are not known.
const UNKNOWN: &str = "…";

impl Machines {
    pub fn of(report: &Report) -> Machines {
        let is_there = report.network.is_some();
        let events = || report.counterexample.iter().filter(|_| is_there);
        let has_disk = |name: &str| events().any(|event| event.actor == name && is_on_disk(event));
        let machines = report.actors.iter().filter(|_| is_there);
        Machines {
            network: is_there.then(Vec::new),
            streams: { events().filter(|event| is_of_stream(event.op)) }
                .filter_map(|event| Some((event.object.clone()?, String::new())))
                .collect(),
            all: machines
                .map(|name| Machine {
                    name: name.clone(),
                    status: "runs".to_owned(),
                    disk: has_disk(name).then(BTreeMap::new),
                })
                .collect(),
        }
    }

    /// Takes note of an operation.
    pub fn after(&mut self, event: &Event) {
        let Some(network) = &mut self.network else {
            return;
        };
        let number = event.note.clone().unwrap_or_default();
        match event.op {
            Op::Post => network.push((number, message(event))),
            Op::Deliver | Op::Lose => network.retain(|(other, _)| *other != number),
            op if is_of_stream(op) => self.stream(event),
            _ => {
                let machine = self
                    .all
                    .iter_mut()
                    .find(|machine| machine.name == event.actor);
                machine.into_iter().for_each(|machine| machine.after(event));
            }
        }
    }

    /// Bytes are written out in a stream's events, each by itself, so that their texts can be put together.
    fn stream(&mut self, event: &Event) {
        let name = event.object.as_deref().unwrap_or_default();
        let Some(inside) = self.streams.get_mut(name) else {
            return;
        };
        let bytes = bytes(event);
        match (event.op, inside.strip_prefix(bytes)) {
            (Op::StreamWrite, _) => inside.push_str(bytes),
            (Op::StreamRead, Some(rest)) => *inside = rest.to_owned(),
            (Op::StreamRead, None) => UNKNOWN.clone_into(inside),
            _ => inside.clear(),
        }
    }

    /// A variable for the network, for each stream, each machine, and each disk.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        let network = self.network.iter().map(|under_way| Variable {
            name: "network".to_owned(),
            kind: "Seq(Str)",
            value: under_way
                .iter()
                .map(|(_, message)| message.as_str())
                .collect(),
        });
        let streams = { self.streams.iter() }
            .map(|(name, inside)| Variable::text(name, format!("\"{inside}\"")));
        let machines = self.all.iter();
        let machines =
            machines.map(|machine| Variable::text(&machine.name, machine.status.clone()));
        let disks = self.all.iter().filter_map(|machine| {
            let files = machine.disk.as_ref()?.iter();
            Some(Variable {
                name: format!("disk of {}", machine.name),
                kind: "Str -> Str",
                value: json!({ "#map": files.map(|(file, text)| [file, text]).collect::<Vec<_>>() }),
            })
        });
        network.chain(streams).chain(machines).chain(disks)
    }
}

impl Machine {
    fn after(&mut self, event: &Event) {
        let value = event.value.as_deref().unwrap_or_default();
        match event.op {
            Op::Crash => "crashed".clone_into(&mut self.status),
            Op::Stop => "stopped for good".clone_into(&mut self.status),
            Op::Restart => "runs".clone_into(&mut self.status),
            Op::Panic => "panicked".clone_into(&mut self.status),
            Op::Return => self.status = format!("returned {value}"),
            _ => {}
        }
        let Some(disk) = &mut self.disk else { return };
        let file = event.object.clone().unwrap_or_default();
        match event.op {
            Op::DiskWrite => {
                disk.insert(file, value.to_owned());
            }
            Op::DiskAppend => {
                let text = disk.entry(file).or_insert_with(|| UNKNOWN.to_owned());
                text.push_str(value);
            }
            Op::DiskRename => {
                let text = disk.remove(&file).unwrap_or_else(|| UNKNOWN.to_owned());
                disk.insert(value.to_owned(), text);
            }
            Op::DiskRemove => {
                disk.remove(&file);
            }
            // What has survived is told when it restarts.
            Op::Crash => { disk.values_mut() }.for_each(|text| UNKNOWN.clone_into(text)),
            Op::Restart => *disk = files(event.note.as_deref().unwrap_or_default()),
            _ => {}
        }
    }
}

/// The number of a message, what is in it, and between whom.
fn message(event: &Event) -> String {
    let number = event.note.as_deref().unwrap_or("#?");
    let to = event.object.as_deref().unwrap_or("?");
    let value = event.value.as_deref().unwrap_or_default();
    format!("{number} {value}, {} to {to}", event.actor)
}

/// Whether an operation shows that its machine has files.
fn is_on_disk(event: &Event) -> bool {
    match event.op {
        Op::DiskWrite | Op::DiskAppend | Op::DiskRename | Op::DiskRemove => true,
        Op::Restart => event.note.is_some(),
        _ => false,
    }
}

fn is_of_stream(op: Op) -> bool {
    matches!(op, Op::StreamWrite | Op::StreamRead | Op::StreamEnds)
}

/// The bytes of an operation on a stream, as they are written out between quotation marks.
pub fn bytes(event: &Event) -> &str {
    let text = event.value.as_deref().unwrap_or_default();
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}

/// The files that a restart lists: `log = tea, plan = 1`. What has no such beginning belongs to the file before.
fn files(note: &str) -> BTreeMap<String, String> {
    let mut files: Vec<(String, String)> = Vec::new();
    for part in note.split(", ") {
        let begins =
            { part.split_once(" = ") }.filter(|(name, _)| !name.contains(char::is_whitespace));
        match (begins, files.last_mut()) {
            (Some((name, text)), _) => files.push((name.to_owned(), text.to_owned())),
            (None, Some((_, text))) => *text = format!("{text}, {part}"),
            (None, None) => {}
        }
    }
    files.into_iter().collect()
}
