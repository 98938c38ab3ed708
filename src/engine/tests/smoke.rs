//! Counts of executions that are known.

use heisenbug_engine::search::{self, Config, Ending, Leaf, Model, Observer, Summary};
use heisenbug_engine::steps::{self, Object, Rmw, Until};
use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, *};

#[derive(Default)]
struct Count { endings: BTreeMap<String, u64>, restarts: u64 }
impl Observer for Count {
    fn begin(&mut self) {}
    fn ended(&mut self, leaf: &Leaf<'_>) { *self.endings.entry(match leaf.ending { Ending::Complete => "complete".into(), other => format!("{other:?}").chars().take(600).collect::<String>() }).or_default() += 1; }
    fn restart(&mut self) { self.endings.clear(); self.restarts += 1; }
    fn go_on(&mut self, runs: u64) -> bool { runs < 60_000 }
}
fn explore(model: Model, program: impl Fn()) -> (BTreeMap<String, u64>, Summary, u64) {
    let mut count = Count::default();
    let config = Config { model, ..Config::default() };
    let summary = search::explore(&config, &program, &mut count);
    (count.endings, summary, count.restarts)
}
struct A(Object);
impl A {
    fn new() -> Rc<A> { Rc::new(A(Object::new())) }
    #[inline(always)] #[track_caller] fn load(&self, o: Ordering) -> u64 { steps::load(&self.0, 0, o, Location::caller()) }
    #[inline(always)] #[track_caller] fn store(&self, v: u64, o: Ordering) { steps::store(&self.0, 0, v, o, Location::caller()) }
    #[inline(always)] #[track_caller] fn add(&self, o: Ordering) -> u64 { steps::rmw(&self.0, 0, Rmw::add(1), o, Relaxed, Location::caller()).read }
    #[inline(always)] #[track_caller] fn swap(&self, v: u64, o: Ordering) -> u64 { steps::rmw(&self.0, 0, Rmw::set(v), o, Relaxed, Location::caller()).read }
    #[inline(always)] #[track_caller] fn cas(&self, e: u64, v: u64) -> bool { steps::rmw(&self.0, 0, Rmw::exchange(e, v), AcqRel, Relaxed, Location::caller()).wrote.is_some() }
    #[inline(always)] #[track_caller] fn wait(&self, v: u64) { steps::await_load(&self.0, 0, Until::Is(v), Acquire, false, Location::caller()); }
    #[inline(always)] #[track_caller] fn update(&self) { steps::update(&self.0, 0, AcqRel, Relaxed, Location::caller(), &mut |v| Some(v + 1)); }
    #[inline(always)] #[track_caller] fn lock(&self) { steps::lock(&self.0, Location::caller()) }
    #[inline(always)] #[track_caller] fn unlock(&self) { steps::unlock(&self.0, Location::caller()) }
}
fn threads(n: usize, f: impl Fn(usize) + 'static) -> Vec<u8> {
    let f = Rc::new(f);
    (0..n).map(|i| { let f = f.clone(); steps::spawn(Box::new(move || f(i)), Location::caller()) }).collect()
}
fn join(t: Vec<u8>) { for t in t { steps::join(t, Location::caller()) } }
fn show(name: &str, f: impl Fn()) {
    let t = std::time::Instant::now();
    let (e, s, r) = explore(Model::Rc11, &f);
    eprintln!("{name}: {e:?} wasted {} runs {} restarts {r} {:.2} us/run", s.wasted, s.runs, t.elapsed().as_secs_f64() * 1e6 / s.runs as f64);
}
#[test]
fn counts() {
    for n in [2, 3, 4, 6] { show(&format!("add {n}"), || { let a = A::new(); join(threads(n, move |_| { a.add(Relaxed); })); }); }
    for n in [2, 3, 4] { show(&format!("load store {n}"), || { let a = A::new(); join(threads(n, move |_| { let v = a.load(Relaxed); a.store(v + 1, Relaxed); })); }); }
    for n in [2, 3, 4] { show(&format!("cas loop {n}"), || { let a = A::new(); join(threads(n, move |_| { loop { let v = a.load(Relaxed); if a.cas(v, v + 1) { break; } } })); }); }
    for n in [2, 3, 4] { show(&format!("update {n}"), || { let a = A::new(); join(threads(n, move |_| a.update())); }); }
    for n in [2, 3, 4, 6] { show(&format!("mutex {n}"), || { let a = A::new(); join(threads(n, move |_| { a.lock(); a.unlock(); })); }); }
    for (n, k) in [(3, 2), (4, 2)] { show(&format!("mutex {n}x{k}"), || { let a = A::new(); join(threads(n, move |_| for _ in 0..k { a.lock(); a.unlock(); })); }); }
    for (n, k) in [(3, 1), (4, 1), (3, 2), (4, 2)] { show(&format!("ticket {n}x{k}"), || { let (a, b) = (A::new(), A::new()); join(threads(n, move |_| for _ in 0..k { let t = a.add(Relaxed); b.wait(t); b.store(t + 1, Release); })); }); }
    for (n, k) in [(2, 1), (3, 1), (4, 1), (3, 2)] { show(&format!("ticket spin {n}x{k}"), || { let (a, b) = (A::new(), A::new()); join(threads(n, move |_| for _ in 0..k { let t = a.add(Relaxed); while b.load(Acquire) != t {} b.store(t + 1, Release); })); }); }
    for (n, k) in [(2, 1), (2, 2), (3, 1)] { show(&format!("tas spin {n}x{k}"), || { let a = A::new(); join(threads(n, move |_| for _ in 0..k { while a.swap(1, Acquire) == 1 {} a.store(0, Release); })); }); }
    for (n, k) in [(2, 1), (3, 1)] { show(&format!("ttas spin {n}x{k}"), || { let a = A::new(); join(threads(n, move |_| for _ in 0..k { while a.load(Relaxed) == 1 || a.swap(1, Acquire) == 1 {} a.store(0, Release); })); }); }
    show("ab ba", || { let (a, b) = (A::new(), A::new()); join(threads(2, move |i| { let (x, y) = if i == 0 { (&a, &b) } else { (&b, &a) }; x.lock(); y.lock(); y.unlock(); x.unlock(); })); });
    show("livelock", || { let a = A::new(); join(threads(2, move |_| while a.load(Relaxed) == 0 {})); });
    show("sb sc", || { let (a, b) = (A::new(), A::new()); join(threads(2, move |i| { let (x, y) = if i == 0 { (&a, &b) } else { (&b, &a) }; x.store(1, SeqCst); y.load(SeqCst); })); });
    show("sb rlx", || { let (a, b) = (A::new(), A::new()); join(threads(2, move |i| { let (x, y) = if i == 0 { (&a, &b) } else { (&b, &a) }; x.store(1, Relaxed); y.load(Relaxed); })); });
    show("long", || { let a = A::new(); for _ in 0..5000 { a.add(Relaxed); } });
}
#[test]
fn dbg() {
    show("cas loop 2", || { let a = A::new(); join(threads(2, move |_| { loop { let v = a.load(Relaxed); if a.cas(v, v + 1) { break; } } })); });
}
#[test]
fn replays() {
    use std::cell::RefCell;
    struct Keep(Option<search::Schedule>, Vec<u64>);
    let log = Rc::new(RefCell::new(Vec::<String>::new()));
    struct O<'a>(&'a RefCell<Vec<String>>, Vec<search::Schedule>);
    impl Observer for O<'_> {
        fn begin(&mut self) { self.0.borrow_mut().clear(); }
        fn ended(&mut self, leaf: &Leaf<'_>) {
            let s = leaf.schedule(None).unwrap();
            eprintln!("{:?} preemptions {} stale {} switches {} log {:?}", leaf.ending, s.preemptions, s.stale, s.switches, self.0.borrow());
            self.1.push(s);
        }
        fn restart(&mut self) { self.1.clear(); }
        fn go_on(&mut self, _: u64) -> bool { true }
    }
    let l = log.clone();
    let program = move || {
        let a = A::new();
        let l = l.clone();
        join(threads(2, move |t| { let v = a.load(Relaxed); l.borrow_mut().push(format!("{t} loads {v}")); a.store(v + 1, Relaxed); l.borrow_mut().push(format!("{t} stores {}", v + 1)); }));
    };
    let mut o = O(&log, vec![]);
    search::explore(&Config::default(), &program, &mut o);
    let all = std::mem::take(&mut o.1);
    for s in all { eprintln!("replay"); search::replay(&Config::default(), &program, &s, &mut o); }
}
