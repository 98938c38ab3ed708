//! The hub's part of a stream: takes what the writers write, and hands it on in pieces.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where the ends of a stream connect.
pub struct Pipe {
    pub writes: SocketAddr,
    pub reads: SocketAddr,
    writers: usize,
}

impl Pipe {
    /// Opens a stream with so many writers.
    pub fn open(writers: usize) -> io::Result<Pipe> {
        let writes = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let reads = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let pipe = Pipe {
            writes: writes.local_addr()?,
            reads: reads.local_addr()?,
            writers,
        };
        thread::spawn(move || {
            let Ok((reader, _)) = reads.accept() else {
                return;
            };
            let _ = reader.set_nodelay(true);
            let reader = Arc::new(Mutex::new(reader));
            let all: Vec<_> = (0..writers)
                .filter_map(|_| writes.accept().ok())
                .map(|(writer, _)| {
                    let reader = Arc::clone(&reader);
                    thread::spawn(move || hand_on(writer, &reader))
                })
                .collect();
            for writer in all {
                let _ = writer.join();
            }
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = reader.shutdown(Shutdown::Write);
        });
        Ok(pipe)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Nobody waits for those who never came.
        let _ = TcpStream::connect(self.reads);
        for _ in 0..self.writers {
            let _ = TcpStream::connect(self.writes);
        }
    }
}

/// Hands on what one writer writes, until it is gone: sometimes in two pieces.
fn hand_on(mut writer: TcpStream, reader: &Mutex<TcpStream>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = writer.read(&mut buffer) {
        // What was read at once stays together: other writers have to wait.
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = buffer[..read].split_at(fastrand::usize(1..=read));
        let written = reader.write_all(first);
        if !second.is_empty() {
            // So that the reader can see the first piece without the second.
            thread::yield_now();
        }
        if written.and_then(|()| reader.write_all(second)).is_err() {
            return;
        }
    }
}
