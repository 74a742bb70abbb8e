//! The TCP connection below HTTP, which can be aborted.
//!
//! A fault must be able to close a connection without sending a byte, which a handler cannot ask of
//! an HTTP server. So the handler of each request gets its connection's [`ConnectionAborter`]: once
//! aborted, the next write fails and the server closes the connection. Knows nothing of HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Aborts one connection before it responds.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionAborter(Arc<AtomicBool>);

impl ConnectionAborter {
    /// From now on nothing is written to the connection.
    pub(crate) fn abort_connection(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn fail_if_aborted(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, AbortableListener>> for ConnectionAborter {
    fn connect_info(stream: IncomingStream<'_, AbortableListener>) -> Self {
        stream.io().cut.clone()
    }
}

/// A TCP listener whose connections can be aborted.
#[derive(Debug)]
pub(crate) struct AbortableListener(TcpListener);

impl AbortableListener {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl axum::serve::Listener for AbortableListener {
    type Io = AbortableConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (AbortableConnection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Otherwise small responses wait for the client's acknowledgement; a socket
                    // that refuses the option is merely slower.
                    let _ = stream.set_nodelay(true);
                    return (
                        AbortableConnection { stream, cut: ConnectionAborter::default() },
                        address,
                    );
                }
                // Probably out of file descriptors: wait for connections to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct AbortableConnection {
    stream: TcpStream,
    cut: ConnectionAborter,
}

impl AsyncRead for AbortableConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for AbortableConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.fail_if_aborted()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.cut.fail_if_aborted()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
