//! What a report says about leaked values: which of them holds which.

use heisenbug::sync::{Arc, Mutex, Weak};
use heisenbug::{Report, check, thread};

/// Which value holds which others.
fn holds(report: &Report) -> Vec<(&str, Vec<&str>)> {
    assert!(report.fails(), "{report}");
    let leaked = report.leaked.iter();
    leaked
        .map(|leaked| {
            let holds = leaked.holds.iter().map(String::as_str).collect();
            (leaked.name.as_str(), holds)
        })
        .collect()
}

#[derive(Default)]
struct Node {
    others: Mutex<Vec<Arc<Node>>>,
    above: Mutex<Weak<Node>>,
}

#[test]
fn a_node_in_its_own_list_holds_itself() {
    let report = check(|| {
        let node = Arc::new(Node::default());
        node.others.lock().unwrap().push(Arc::clone(&node));
    });
    assert_eq!(holds(&report), [("node", vec!["node"])]);
    let text = report.to_string();
    assert!(text.contains("Node holds itself: a cycle"), "{text}");
}

#[test]
fn a_list_on_the_heap_leads_from_one_to_the_other() {
    let report = check(|| {
        let parent = Arc::new(Node::default());
        let child = Arc::new(Node::default());
        parent.others.lock().unwrap().push(Arc::clone(&child));
        thread::spawn(move || drop(child)).join().unwrap();
        std::mem::forget(parent);
    });
    assert_eq!(
        holds(&report),
        [("parent", vec!["child"]), ("child", vec![])]
    );
    let text = report.to_string();
    assert!(text.contains("Parent holds child."), "{text}");
}

#[test]
fn a_pointer_that_may_be_weak_is_not_said_to_hold() {
    let report = check(|| {
        let parent = Arc::new(Node::default());
        let child = Arc::new(Node::default());
        *child.above.lock().unwrap() = Arc::downgrade(&parent);
        parent.others.lock().unwrap().push(Arc::clone(&child));
        std::mem::forget(parent);
    });
    assert_eq!(
        holds(&report),
        [("parent", vec!["child"]), ("child", vec![])]
    );
}

#[test]
fn what_was_only_forgotten_is_held_by_nobody() {
    let report = check(|| std::mem::forget(Arc::new(1)));
    assert!(holds(&report).iter().all(|(_, holds)| holds.is_empty()));
}
