//! The [Informal Trace Format](https://apalache-mc.org/docs/adr/015adr-trace.html): a state before the first
//! step, and one after each. It is what is known then: of a value that no operation has told yet, nothing is.

use super::super::report::Report;
use super::clients::Clients;
use super::machines::Machines;
use super::shared::Shared;
use super::steps::{Step, What};
use super::with_lines;
use serde_json::{Map, Value, json};

/// A variable of a state.
pub struct Variable {
    pub name: String,
    /// Its type, as Apalache writes it.
    pub kind: &'static str,
    pub value: Value,
}

impl Variable {
    pub fn text(name: &str, value: String) -> Variable {
        Variable {
            name: name.to_owned(),
            kind: "Str",
            value: value.into(),
        }
    }
}

pub fn render(report: &Report, steps: &[Step]) -> String {
    let events = &report.counterexample;
    let mut known = Known {
        shared: Shared::of(events),
        clients: Clients::of(events),
        machines: Machines::of(report),
    };
    let first = known.state(["", "the start", ""]);
    let names = names(&first);
    let mut states = vec![state(&names, first, 0)];
    for (nth, step) in steps.iter().enumerate() {
        if let What::Event(event, at) = step.what {
            known.shared.after(events, at);
            known.clients.after(events, at);
            known.machines.after(event);
        }
        let variables = known.state([step.actor, &step.told, &step.place()]);
        states.push(state(&names, variables, nth + 1));
    }
    let types = names.iter().zip(known.state([""; 3]));
    let types: Map<String, Value> = types
        .map(|(name, variable)| (name.clone(), variable.kind.into()))
        .collect();
    let fields = [("#meta", meta(report, types)), ("vars", names.into())];
    with_lines(&fields, "states", &states)
}

/// All that is known.
struct Known {
    shared: Shared,
    clients: Clients,
    machines: Machines,
}

impl Known {
    /// All variables, always in the same order. The first ones are the step's own.
    fn state(&self, own: [&str; 3]) -> Vec<Variable> {
        let own = ["actor", "operation", "place"].into_iter().zip(own);
        own.map(|(name, value)| Variable::text(name, value.to_owned()))
            .chain(self.machines.variables())
            .chain(self.clients.variables())
            .chain(self.shared.variables())
            .collect()
    }
}

fn state(names: &[String], variables: Vec<Variable>, index: usize) -> Value {
    let mut state = Map::new();
    state.insert("#meta".to_owned(), json!({ "index": index }));
    for (name, variable) in names.iter().zip(variables) {
        state.insert(name.clone(), variable.value);
    }
    state.into()
}

/// A name for each variable that no other has. Names that begin with `#` have a meaning in the format.
fn names(variables: &[Variable]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for Variable { name, .. } in variables {
        let plain = match name.starts_with('#') {
            true => format!("_{name}"),
            false => name.clone(),
        };
        let mut name = plain.clone();
        let mut others = 2..;
        while names.contains(&name) {
            name = format!("{plain} ({})", others.next().unwrap_or_default());
        }
        names.push(name);
    }
    names
}

fn meta(report: &Report, types: Map<String, Value>) -> Value {
    let name = [&report.bug, &report.variant].into_iter().flatten();
    let name: Vec<&str> = name.map(String::as_str).collect();
    json!({
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": name.join("/"),
        "description": report.message,
        "varTypes": types,
    })
}
