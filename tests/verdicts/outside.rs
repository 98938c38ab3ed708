//! Data that the engine does not see: `try` says so, and neither proves nor breaks such a program.

use heisenbug::catalogue::Class;
use heisenbug::{Checker, Report, Verdict};
use heisenbug_course::playground::Tried;

fn tried(text: &str) -> Tried {
    let checker = Checker::new().max_executions(1000);
    crate::tried::tried(text, &checker).expect("it can be tried")
}

fn report(text: &str) -> Report {
    match tried(text) {
        Tried::Checked(mut reports) => reports.pop().expect("there is a scenario"),
        Tried::NotCompiled(message) => panic!("{message}"),
    }
}

/// The program is neither proven nor broken, for that reason; `line` begins with its number.
#[track_caller]
fn is_unknown(text: &str, line: &str, cure: &str) {
    let report = report(text);
    assert_eq!(report.verdict, Verdict::Unknown, "{:?}", report.message);
    let why = report.stopped.as_deref().unwrap_or_default();
    assert!(why.starts_with(line) && why.contains(cure), "{why}");
    // Nothing remains of a failure that does not count.
    assert_eq!((report.class, report.counterexample.len()), (None, 0));
}

#[track_caller]
fn does_not_compile(text: &str, advice: &str) {
    let Tried::NotCompiled(message) = tried(text) else {
        panic!("it compiles");
    };
    assert!(message.contains(advice), "{message}");
}

/// Two threads do the same, and main checks something at the end.
fn both(shared: &str, act: &str, end: &str) -> String {
    format!(
        "use heisenbug::{{sync::Arc, thread}};\n\
         {shared}\n\
         pub fn scenario() {{\n\
         let a = Arc::new(Shared::default());\n\
         let b = a.clone();\n\
         let t = thread::spawn(move || {{ {} }});\n\
         {act};\n\
         t.join().unwrap();\n\
         {end}\n\
         }}\n",
        act.replace("a.", "b.")
    )
}

#[test]
fn a_mutable_static_is_unknown() {
    let text = "use heisenbug::thread;\n\
                static mut N: u32 = 0;\n\
                pub fn scenario() {\n\
                let t = thread::spawn(|| unsafe { N += 1 });\n\
                unsafe { N += 1 };\n\
                t.join().unwrap();\n\
                assert_eq!(unsafe { N }, 2);\n\
                }\n";
    is_unknown(text, "line 2 ", "`heisenbug::cell::UnsafeCell`");
}

#[test]
fn a_cell_of_std_that_is_shared_is_unknown() {
    let text = both(
        "#[derive(Default)] struct Shared(std::cell::UnsafeCell<u64>);\nunsafe impl Sync for Shared {}",
        "unsafe { *a.0.get() += 1 }",
        "",
    );
    is_unknown(&text, "line 3 ", "`heisenbug::cell::UnsafeCell`");
    let text = text.replace("unsafe { *a.0.get() += 1 }", "a.0.set(1)");
    let text = text.replace("unsafe { *b.0.get() += 1 }", "b.0.set(1)");
    let text = text.replace("std::cell::UnsafeCell", "std::cell::Cell");
    is_unknown(&text, "line 3 ", "std's `Cell`");
}

#[test]
fn a_cell_of_ours_that_is_shared_fails() {
    let text = both(
        "#[derive(Default)] struct Shared(heisenbug::cell::UnsafeCell<u64>);\nunsafe impl Sync for Shared {}",
        "a.0.with_mut(|p| unsafe { *p += 1 })",
        "",
    );
    let report = report(&text);
    assert_eq!(
        (report.verdict, report.class),
        (Verdict::Fails, Some(Class::DataRace))
    );
}

#[test]
fn a_thread_local_of_std_is_unknown_and_ours_holds() {
    let text = |name: &str| {
        let shared = format!(
            "#[derive(Default)] struct Shared(heisenbug::sync::atomic::AtomicU32);\n\
             {name} {{ static N: std::cell::Cell<u32> = const {{ std::cell::Cell::new(0) }}; }}\n\
             use heisenbug::sync::atomic::Ordering::SeqCst;"
        );
        let act = "N.set(N.get() + 1); a.0.fetch_add(1, SeqCst); assert_eq!(N.get(), 1)";
        both(&shared, act, "")
    };
    for of_std in ["thread_local!", "std::thread_local!"] {
        is_unknown(&text(of_std), "line 3 ", "use `heisenbug::thread_local!`");
    }
    assert!(report(&text("heisenbug::thread_local!")).holds());
}

#[test]
fn a_scope_of_std_is_unknown_and_ours_holds() {
    let text = "use heisenbug::sync::atomic::{AtomicU64, Ordering};\n\
                pub fn scenario() -> u64 {\n\
                let total = AtomicU64::new(0);\n\
                std::thread::scope(|s| {\n\
                s.spawn(|| total.fetch_add(1, Ordering::SeqCst));\n\
                s.spawn(|| total.fetch_add(1, Ordering::SeqCst));\n\
                });\n\
                total.load(Ordering::SeqCst)\n\
                }\n";
    is_unknown(text, "line 4 ", "use `heisenbug::thread::scope`");
    assert!(report(&text.replace("std::thread", "heisenbug::thread")).holds());
}

#[test]
fn plain_data_behind_a_raw_pointer_is_unknown_and_a_cell_fails() {
    let text = |data: &str, add: &str| {
        let text = "use heisenbug::thread;\n\
                    struct P(*mut DATA);\n\
                    unsafe impl Send for P {}\n\
                    impl P { fn add(&self) { unsafe { ADD } } }\n\
                    pub fn scenario() {\n\
                    let p = Box::into_raw(Box::new(Default::default()));\n\
                    let (a, b) = (P(p), P(p));\n\
                    let t = thread::spawn(move || b.add());\n\
                    a.add();\n\
                    t.join().unwrap();\n\
                    drop(unsafe { Box::from_raw(p) });\n\
                    }\n";
        text.replace("DATA", data).replace("ADD", add)
    };
    is_unknown(
        &text("u64", "*self.0 += 1"),
        "line 2 ",
        "behind a raw pointer",
    );
    let seen = text(
        "heisenbug::cell::UnsafeCell<u64>",
        "(*self.0).with_mut(|p| *p += 1)",
    );
    assert_eq!(report(&seen).class, Some(Class::DataRace));
    let atomic = text(
        "heisenbug::sync::atomic::AtomicU64",
        "(*self.0).fetch_add(1, heisenbug::sync::atomic::Ordering::Relaxed);",
    );
    assert!(report(&atomic).holds());
}

/// The atomic count is seen, the data that it guards is not.
#[test]
fn plain_data_beside_an_atomic_is_unknown() {
    let text = "use heisenbug::sync::atomic::{AtomicUsize, Ordering::AcqRel};\n\
                struct N { refs: AtomicUsize, data: u64 }\n\
                struct P(*mut N);\n\
                unsafe impl Send for P {}\n\
                impl P { fn put(&self) -> u64 { unsafe {\n\
                if (*self.0).refs.fetch_sub(1, AcqRel) == 1 { drop(Box::from_raw(self.0)); return 0; }\n\
                (*self.0).data } } }\n\
                pub fn scenario() {\n\
                let p = Box::into_raw(Box::new(N { refs: AtomicUsize::new(2), data: 7 }));\n\
                let (a, b) = (P(p), P(p));\n\
                let t = heisenbug::thread::spawn(move || b.put());\n\
                a.put();\n\
                t.join().unwrap();\n\
                }\n";
    is_unknown(text, "line 3 ", "`heisenbug::cell::UnsafeCell`");
}

/// A failure that the engine found counts, whatever else it cannot see.
#[test]
fn a_failure_beside_a_raw_pointer_fails() {
    let text = both(
        "#[derive(Default)] struct Shared(heisenbug::sync::atomic::AtomicU32);\n\
         struct P(*mut u64); unsafe impl Send for P {} impl P { fn f(&self) { unsafe { *self.0 = 1 } } }\n\
         use heisenbug::sync::atomic::Ordering::SeqCst;",
        "let n = a.0.load(SeqCst); a.0.store(n + 1, SeqCst)",
        "assert_eq!(a.0.load(SeqCst), 2, \"one is lost\");",
    );
    let report = report(&text);
    assert_eq!(report.class, Some(Class::Assertion));
}

#[test]
fn a_stack_of_nodes_made_of_what_is_seen_holds() {
    let shared = "use heisenbug::{cell::UnsafeCell, sync::atomic::{AtomicPtr, Ordering::*}};\n\
                  #[derive(Default)] struct Shared { head: AtomicPtr<Node> }\n\
                  struct Node { value: UnsafeCell<u32>, next: AtomicPtr<Node> }\n\
                  impl Shared { fn push(&self) {\n\
                  let node = Box::into_raw(Box::new(Node { value: UnsafeCell::new(1), next: AtomicPtr::default() }));\n\
                  let mut head = self.head.load(Relaxed);\n\
                  loop {\n\
                  unsafe { (*node).next.store(head, Relaxed) };\n\
                  match self.head.compare_exchange(head, node, Release, Relaxed) { Ok(_) => return, Err(now) => head = now }\n\
                  } } }\n\
                  impl Drop for Shared { fn drop(&mut self) {\n\
                  let mut at = *self.head.get_mut();\n\
                  while !at.is_null() { let mut node = unsafe { Box::from_raw(at) }; assert_eq!(*node.value.get_mut(), 1); at = *node.next.get_mut(); }\n\
                  } }";
    let report = report(&both(shared, "a.push()", ""));
    assert!(report.holds(), "{:?} {:?}", report.message, report.stopped);
}

#[test]
fn a_method_of_a_pointer_says_what_to_write_instead() {
    does_not_compile(
        "use heisenbug::sync::Arc;\n\
         struct Pool;\n\
         impl Pool { fn get(self: &Arc<Self>) {} }\n\
         pub fn scenario() { Arc::new(Pool).get() }\n",
        "write `this: &Arc<Self>`",
    );
}

#[test]
fn a_pointer_to_a_trait_object_says_what_to_write_instead() {
    let text = "use heisenbug::sync::Arc;\n\
                pub fn scenario() { let f: Arc<dyn Fn() + Send> = MADE; f() }\n";
    let advice = "`Arc::from(Box::new(…) as Box<dyn Fn() + Send>)`";
    does_not_compile(&text.replace("MADE", "Arc::new(|| ())"), advice);
    let cured = "Arc::from(Box::new(|| ()) as Box<dyn Fn() + Send>)";
    assert!(report(&text.replace("MADE", cured)).holds());
}

#[test]
fn what_cannot_be_had_says_what_to_write_instead() {
    for (text, advice) in [
        (
            "pub fn scenario() { heisenbug::sync::atomic::AtomicU32::new(0).as_ptr(); }\n",
            "share the atomic itself",
        ),
        (
            "pub fn scenario() {\n\
             let p: *mut *mut u8 = std::ptr::null_mut();\n\
             unsafe { heisenbug::sync::atomic::AtomicPtr::from_ptr(p) };\n\
             }\n",
            "share the atomic itself",
        ),
        (
            "pub fn scenario() { unsafe { *heisenbug::cell::UnsafeCell::new(0).get() = 1 }; }\n",
            "write by `cell.with_mut(|value| unsafe { *value = … })`",
        ),
        (
            "use std::{sync::Arc, task::{Wake, Waker}};\n\
             struct Task;\n\
             impl Wake for Task { fn wake(self: Arc<Self>) {} }\n\
             pub fn scenario() { let _ = Waker::from(heisenbug::sync::Arc::new(Task)); }\n",
            "implement `heisenbug::future::Wake`",
        ),
    ] {
        does_not_compile(text, advice);
    }
}
