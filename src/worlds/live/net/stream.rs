//! Streams of bytes between machines: TCP connections through the hub.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// An end of a stream of bytes.
#[derive(Debug)]
pub struct Stream(TcpStream);

impl Stream {
    pub(super) fn new(connection: TcpStream) -> Stream {
        Stream(connection)
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// If the reader has returned or stopped.
    pub fn write_all(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_all(bytes.as_ref())
    }

    /// Waits for something, and returns how many bytes there were: at least one, and perhaps fewer than have
    /// arrived. 0 if the stream has ended, or `buffer` is empty.
    ///
    /// # Errors
    ///
    /// If the connection is broken.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    /// Reads until `buffer` is full.
    ///
    /// # Errors
    ///
    /// If the stream ends before: `UnexpectedEof`.
    pub fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(buffer)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
