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
            let w = std::env::args().nth(2).map_or(80, |w| w.parse().unwrap());
            println!(
                "{}\n",
                heisenbug::explain::plain(&heisenbug::explain::report(&r, w))
            );
        }
    }
}
