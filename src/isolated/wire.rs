//! The messages of a child to its parent, over a pipe that the program under check does not know.
//!
//! The child gets the pipe as its standard input, moves it away and leaves the program an empty one. A message
//! is a mark, its kind, its length and that many bytes. Incomplete messages are ignored.

use std::io::{self, Read, Write};

const MARK: [u8; 4] = *b"hbug";

/// An upper bound for reports: their tables and timelines are cut before.
const MAX_LENGTH: u64 = 64 << 20;

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The report on the program, as JSON.
    Report = 1,
    /// How the program's process ended, and how many other processes it left: two numbers of four bytes.
    End = 2,
}

/// The beginning of a message of that kind and length.
pub fn head(kind: Kind, length: u64) -> [u8; 13] {
    let mut head = [0; 13];
    head[..4].copy_from_slice(&MARK);
    head[4] = kind as u8;
    head[5..].copy_from_slice(&length.to_le_bytes());
    head
}

/// Sends a message.
///
/// # Errors
///
/// If the other end is gone.
pub fn send(pipe: &mut impl Write, kind: Kind, message: &[u8]) -> io::Result<()> {
    pipe.write_all(&head(kind, message.len() as u64))?;
    pipe.write_all(message)
}

/// The next message, or `None` if no complete one arrives.
pub fn receive(pipe: &mut impl Read) -> Option<(Kind, Vec<u8>)> {
    let mut head = [0; 13];
    pipe.read_exact(&mut head).ok()?;
    let kind = match head[4] {
        1 => Kind::Report,
        2 => Kind::End,
        _ => return None,
    };
    let length = u64::from_le_bytes(head[5..].try_into().expect("eight bytes"));
    if head[..4] != MARK || length > MAX_LENGTH {
        return None;
    }
    let mut message = Vec::new();
    let read = pipe.take(length).read_to_end(&mut message).ok()?;
    (read as u64 == length).then_some((kind, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_messages_arrive_and_others_do_not() {
        let mut sent = Vec::new();
        send(&mut sent, Kind::Report, b"all of it").unwrap();
        send(&mut sent, Kind::End, &[0; 8]).unwrap();
        let mut pipe = &sent[..];
        assert_eq!(
            receive(&mut pipe),
            Some((Kind::Report, b"all of it".to_vec()))
        );
        assert_eq!(receive(&mut pipe), Some((Kind::End, vec![0; 8])));
        assert_eq!(receive(&mut pipe), None);
        for cut in 0..20 {
            assert_eq!(receive(&mut &sent[..cut]), None, "{cut} bytes");
        }
    }

    #[test]
    fn what_the_program_may_have_written_is_no_message() {
        assert_eq!(receive(&mut &b"{\"verdict\": \"holds\"}"[..]), None);
        let endless = head(Kind::Report, u64::MAX);
        assert_eq!(receive(&mut &endless[..]), None);
    }
}
