//! Streams of bytes between machines.

use super::handed::{with_names, with_streams};
use heisenbug_engine::Place;
use heisenbug_engine::machines::steps;
use std::io::{self, Read, Write};
use std::panic::Location;

/// An end of a stream of bytes, as a connection is one: what is written arrives once and in order, but in
/// pieces. A check tries those that end where a write does, or up to two bytes before or one after that, and those that
/// fill the reader's buffer. A stream ends with its writers, not when this is dropped; and to write to a reader
/// that has returned is no error.
///
/// `Read` and `Write` work as well, for example for a `BufReader`. A timeline then shows the line in which the
/// machine took the stream.
#[derive(Debug)]
pub struct Stream {
    number: usize,
    taken: Place,
}

impl Stream {
    #[track_caller]
    pub(super) fn named(name: &str) -> Stream {
        let number = with_streams(|names| names.iter().position(|known| *known == name));
        let Some(number) = number else {
            match with_streams(|names| names.join(", ")) {
                none if none.is_empty() => panic!("there is no stream {name}, nor any other"),
                all => panic!("there is no stream {name}: there are {all}"),
            }
        };
        Stream {
            number,
            taken: Location::caller(),
        }
    }

    /// Writes all of it. What several machines write to the same stream comes one after the other, call by call.
    ///
    /// # Errors
    ///
    /// Never: it is std's signature.
    ///
    /// # Panics
    ///
    /// If this machine does not [write to it](super::System::stream).
    #[track_caller]
    pub fn write_all(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.write_at(bytes.as_ref(), Location::caller());
        Ok(())
    }

    /// Waits for something, and returns how many bytes there were: at least one, and perhaps fewer than have
    /// arrived. 0 if the stream has ended, or `buffer` is empty.
    ///
    /// # Errors
    ///
    /// Never: it is std's signature.
    ///
    /// # Panics
    ///
    /// If this machine does not [read from it](super::System::stream).
    #[track_caller]
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_at(buffer, Location::caller()))
    }

    /// Reads until `buffer` is full.
    ///
    /// # Errors
    ///
    /// If the stream ends before: `UnexpectedEof`.
    ///
    /// # Panics
    ///
    /// If this machine does not [read from it](super::System::stream).
    #[track_caller]
    pub fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let mut full = 0;
        while full < buffer.len() {
            match self.read_at(&mut buffer[full..], Location::caller()) {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => full += more,
            }
        }
        Ok(())
    }

    #[track_caller]
    fn write_at(&self, bytes: &[u8], at: Place) {
        if !steps::may_write(self.number) {
            self.refuse("write to");
        }
        steps::stream_write(self.number, bytes, at);
    }

    #[track_caller]
    fn refuse(&self, what: &str) -> ! {
        let machine = with_names(|names| names[steps::me()]);
        let stream = with_streams(|names| names[self.number]);
        panic!("{machine} does not {what} the stream {stream}")
    }

    #[track_caller]
    fn read_at(&self, buffer: &mut [u8], at: Place) -> usize {
        if !steps::may_read(self.number) {
            self.refuse("read from");
        }
        let bytes = steps::stream_read(self.number, buffer.len(), at);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        bytes.len()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_at(buffer, self.taken))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_at(bytes, self.taken);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
