//! x
fn main() {
    let want = std::env::args().nth(1);
    for bug in heisenbug::worlds::bugs() {
        for v in bug.model.variants {
            if want
                .as_deref()
                .is_some_and(|w| !format!("{}/{}", bug.model.name, v.name).contains(w))
            {
                continue;
            }
            let r = heisenbug::Checker::new().check_variant(bug.model, v);
            println!(
                "{}/{} {} {:?} {:?} complete={} {:?} {}ms stopped={:?}",
                bug.model.name,
                v.name,
                r.verdict,
                r.class,
                r.outcome,
                r.complete,
                r.executions,
                r.millis,
                r.stopped
            );
            for o in &r.outcomes {
                println!("    {:?}", o);
            }
            for e in &r.counterexample {
                println!(
                    "      {}:{} {} {} {:?} {:?}={:?} newest={:?} {:?}",
                    e.line, e.column, e.actor, e.call, e.object, e.read, e.value, e.newest, e.note
                );
            }
            for b in &r.blocked {
                println!("      {:?}", b);
            }
        }
    }
}
