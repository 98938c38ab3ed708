//! [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html): a result for each
//! failure, with the timeline as its thread flow.

use super::super::cells::cell;
use super::{Case, Judged, Place};
use serde_json::{Value, json};

pub fn render(cases: &[Case]) -> String {
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "heisenbug",
                "version": env!("CARGO_PKG_VERSION"),
            } },
            // Columns are counted in characters, as the compiler counts them.
            "columnKind": "unicodeCodePoints",
            "results": cases.iter().filter_map(result).collect::<Vec<_>>(),
        }],
    });
    super::super::json(&serde_json::to_string_pretty(&sarif).unwrap_or_default())
}

fn result(case: &Case) -> Option<Value> {
    let level = match case.judged {
        Judged::Passed => return None,
        Judged::Failed => "error",
        Judged::Unknown => "warning",
    };
    let class = case
        .report
        .class
        .and_then(|class| serde_json::to_value(class).ok());
    let place = case.place();
    Some(json!({
        "ruleId": class.unwrap_or_else(|| "unknown".into()),
        "level": level,
        "message": { "text": format!("{}: {}", case.name(), case.message()) },
        "locations": place.iter().map(location).collect::<Vec<_>>(),
        "codeFlows": [{ "threadFlows": [{ "locations": flow(case) }] }],
    }))
}

/// The operations of the counterexample, in their order.
fn flow(case: &Case) -> Vec<Value> {
    let events = case
        .report
        .counterexample
        .iter()
        .filter(|event| event.line > 0);
    events
        .map(|event| {
            let mut place = location(&Place::new(&event.file, event.line, event.column));
            place["message"] = json!({ "text": format!("{}: {}", event.actor, cell(event, &[])) });
            json!({ "location": place })
        })
        .collect()
}

fn location(place: &Place) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(place.file) },
        "region": { "startLine": place.line, "startColumn": place.column },
    } })
}

/// A path, with the characters escaped that have a special meaning in a URI.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let written = path.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    // An absolute path becomes a complete URI.
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", written.collect::<String>())
}
