//! One client at a time on a port: requests in, answers out.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use franka::wire::HeaderLayout;

/// How long a thread waits before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(10);

/// Longest message that any client sends, bytes; a longer one is no message.
const LONGEST: usize = 4096;

/// A client's request, as it came.
pub(crate) struct Message {
    pub(crate) command: u32,
    pub(crate) id: u32,
    pub(crate) payload: Vec<u8>,
}

/// The side of a connection that answers.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    layout: HeaderLayout,
    /// Where the client takes states; none before it has connected.
    pub(crate) states_to: Option<SocketAddr>,
}

impl Peer {
    /// The client takes states at `port` of this machine.
    pub(crate) fn stream_to(&mut self, port: u16) {
        self.states_to = Some((Ipv4Addr::LOCALHOST, port).into());
    }

    /// Answers a request. A client that has gone hears nothing; its connection ends by itself.
    pub(crate) fn answer(&mut self, command: u32, id: u32, payload: &[u8]) {
        let mut message = self.layout.encode_header(command, id, payload.len());
        message.extend_from_slice(payload);
        let _ = self.stream.write_all(&message);
    }

    /// Cuts the connection.
    pub(crate) fn cut(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// What serves a port.
pub(crate) trait Service: Send + 'static {
    /// A client is there.
    fn open(&mut self, peer: Peer);
    /// It asks something.
    fn take(&mut self, message: &Message);
    /// It has gone.
    fn close(&mut self);
}

/// Listens on a port of this machine only; 0 for any that is free.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves clients, one after the other, until told to end.
pub(crate) fn serve(
    listener: &TcpListener,
    layout: HeaderLayout,
    service: &mut dyn Service,
    is_ending: &AtomicBool,
) {
    while !is_ending.load(Ordering::Acquire) {
        match listener.accept() {
            // A client whose connection cannot be set up has no connection.
            Ok((stream, _)) => {
                let _ = attend(stream, layout, service, is_ending);
            }
            Err(_) => thread::sleep(LOOK),
        }
    }
}

fn attend(
    mut stream: TcpStream,
    layout: HeaderLayout,
    service: &mut dyn Service,
    is_ending: &AtomicBool,
) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LOOK))?;
    service.open(Peer {
        stream: stream.try_clone()?,
        layout,
        states_to: None,
    });
    while let Some(message) = receive(&mut stream, layout, is_ending) {
        service.take(&message);
    }
    service.close();
    let _ = stream.shutdown(Shutdown::Both);
    Ok(())
}

/// The next message; none once the client has gone, speaks nonsense, or the port is closed.
fn receive(
    stream: &mut TcpStream,
    layout: HeaderLayout,
    is_ending: &AtomicBool,
) -> Option<Message> {
    let mut header = vec![0; layout.header_len()];
    fill(stream, &mut header, is_ending)?;
    let (command, id, size) = layout.decode_header(&header)?;
    let length = (size as usize).checked_sub(header.len())?;
    if length > LONGEST {
        return None;
    }
    let mut payload = vec![0; length];
    fill(stream, &mut payload, is_ending)?;
    Some(Message {
        command,
        id,
        payload,
    })
}

fn fill(stream: &mut TcpStream, buffer: &mut [u8], is_ending: &AtomicBool) -> Option<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        if is_ending.load(Ordering::Acquire) {
            return None;
        }
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return None,
            Ok(count) => filled += count,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(_) => return None,
        }
    }
    Some(())
}
