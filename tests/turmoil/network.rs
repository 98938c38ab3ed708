//! Machines that talk UDP, and a simulated network that is led by hand or by a seed.

use std::cell::RefCell;
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};
use turmoil::net::UdpSocket;
use turmoil::{Builder, Protocol, Sim};

const PORT: u16 = 1;

/// How long a message takes at most. On average it takes a fifth of that.
const SLOWEST: Duration = Duration::from_millis(100);

/// How long a message takes while the network is led by hand.
const STEADY: Duration = Duration::from_millis(10);

/// Longer than anything here takes, in simulated time.
const LONG: Duration = Duration::from_secs(5);

/// Who decides how long messages take, and which are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lead {
    /// The program: each message takes the same time, unless it is held.
    ByHand,
    /// Chance, which is the same for the same seed.
    Seed(u64),
}

/// What may go wrong, by chance, besides that messages are slow and overtake each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chance {
    Slow,
    /// A message may be lost, and what is under way between the same two machines with it.
    Loss,
    /// A machine may crash. When, its program says.
    Crash,
}

thread_local! {
    /// What was heard since the last [`Network::new`].
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Who has heard what, and when, in the latest simulation of this thread.
pub fn heard() -> Vec<String> {
    HEARD.with_borrow(Vec::clone)
}

/// A machine's end of the network.
pub struct Socket(UdpSocket);

impl Socket {
    pub async fn open() -> Socket {
        let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await;
        Socket(udp.expect("the port is free"))
    }

    pub async fn send(&self, to: &str, message: impl AsRef<str>) {
        let bytes = message.as_ref().as_bytes();
        let sent = self.0.send_to(bytes, (to, PORT)).await;
        sent.expect("there is such a machine");
    }

    /// Waits for a message. Returns its sender, and its words.
    pub async fn receive(&self) -> (String, Vec<String>) {
        let mut buffer = [0; 100];
        let received = self.0.recv_from(&mut buffer).await;
        let (length, from) = received.expect("the network works");
        let text = std::str::from_utf8(&buffer[..length]).expect("text");
        let from = turmoil::reverse_lookup(from.ip()).expect("machines have names");
        let now = turmoil::sim_elapsed().expect("it is simulated").as_millis();
        HEARD.with_borrow_mut(|heard| heard.push(format!("{now} ms, from {from}: {text}")));
        (from, text.split(' ').map(str::to_owned).collect())
    }

    /// Waits for a message, but not for ever.
    pub async fn receive_within(&self, patience: Duration) -> Option<(String, Vec<String>)> {
        let received = tokio::time::timeout(patience, self.receive()).await;
        received.ok()
    }

    /// Sends a message, and waits for the next one that comes.
    pub async fn ask(&self, whom: &str, message: impl AsRef<str>) -> Vec<String> {
        self.send(whom, message).await;
        self.receive().await.1
    }
}

/// A word that is a number.
pub fn number(word: &str) -> u32 {
    word.parse().expect("a number")
}

/// A simulated network.
pub struct Network<'a> {
    pub sim: Sim<'a>,
}

impl<'a> Network<'a> {
    pub fn new(lead: Lead, chance: Chance) -> Network<'a> {
        HEARD.with_borrow_mut(Vec::clear);
        let mut builder = Builder::new();
        builder
            .simulation_duration(LONG)
            // Not the time of day.
            .epoch(SystemTime::UNIX_EPOCH);
        match lead {
            Lead::ByHand => builder
                .rng_seed(0)
                .min_message_latency(STEADY)
                .max_message_latency(STEADY),
            Lead::Seed(seed) => builder
                .rng_seed(seed)
                .enable_random_order()
                .min_message_latency(Duration::from_millis(1))
                .max_message_latency(SLOWEST)
                .fail_rate(if chance == Chance::Loss { 0.05 } else { 0.0 }),
        };
        builder.fs().io_latency();
        let sim = builder.build();
        Network { sim }
    }

    /// A machine that serves the others, and can crash.
    pub fn server<F>(&mut self, name: &str, run: impl Fn() -> F + 'a)
    where
        F: Future<Output = ()> + 'static,
    {
        self.sim.host(name, move || {
            let software = run();
            async {
                software.await;
                Ok(())
            }
        });
    }

    /// A machine that has something to do, and is done at some time.
    pub fn client(&mut self, name: &str, run: impl Future<Output = ()> + 'static) {
        self.sim.client(name, async {
            run.await;
            Ok(())
        });
    }

    /// Goes on until there is such a message under way.
    pub fn until(&mut self, from: &str, to: &str, message: &str) {
        while !self.is_under_way(from, to, message) {
            self.step();
        }
    }

    fn is_under_way(&self, from: &str, to: &str, message: &str) -> bool {
        let (from, to) = (self.sim.lookup(from), self.sim.lookup(to));
        let mut found = false;
        self.sim.links(|links| {
            found = links.flatten().any(|sent| {
                let (source, target) = sent.pair();
                let is_it = matches!(sent.protocol(), Protocol::Udp(text) if text.0 == message);
                is_it && (source.ip(), target.ip()) == (from, to)
            });
        });
        found
    }

    /// One millisecond. Returns whether all clients are done.
    pub fn step(&mut self) -> bool {
        self.sim.step().expect("it is done in time")
    }

    /// Goes on until all clients are done, and what they have sent has arrived; or for very long, if one of them waits
    /// for ever.
    pub fn finish(&mut self) {
        if self.sim.run().is_ok() {
            (0..=SLOWEST.as_millis()).for_each(|_| _ = self.step());
        }
    }
}
