// Whose turn is it?
//
// Two threads share a number, which is 1 at first. One adds 3 to it. The other doubles it, twice:
//
//     adder                             doubler
//     let seen = number.load();         let seen = number.load();
//     number.store(seen + 3);           number.store(seen * 2);
//                                       let seen = number.load();
//                                       number.store(seen * 2);
//
// The threads do not choose who moves when. Here is one run, one row per step, top to bottom:
//
//     step    adder                     doubler
//     1       number.load()
//     2                                 number.load()
//     3                                 number.store(seen * 2)
//     4       number.store(seen + 3)
//     5                                 number.load()
//     6                                 number.store(seen * 2)

// First one, then the other: (1 + 3) * 2 * 2.
pub const ANSWER: u64 = 16;
