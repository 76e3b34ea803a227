//! A small web server and proxy on this machine, which notes what it was asked for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A server of the files of a directory, until the program ends.
pub struct Web {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Serves a directory. A request with a whole URL, as a proxy gets it, gets the file below the directory
    /// with the name of the host.
    pub fn serve(directory: &Path) -> Self {
        Self::serve_to(directory, None)
    }

    /// Serves a directory to clients that send this header.
    pub fn serve_to(directory: &Path, header: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (noted, directory) = (requests.clone(), directory.to_owned());
        let header = header.map(str::to_owned);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, directory, header) = (noted.clone(), directory.clone(), header.clone());
                std::thread::spawn(move || answer(stream, &directory, header.as_deref(), &noted));
            }
        });
        Self { address, requests }
    }

    /// Returns the URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the host with its port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the paths or URLs that were asked for since the last call.
    ///
    /// # Panics
    ///
    /// If a thread of the server panicked.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().expect("requests"))
    }
}

fn answer(
    mut stream: TcpStream,
    directory: &Path,
    header: Option<&str>,
    noted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next().transpose()? {
        let mut allowed = header.is_none();
        for line in lines.by_ref() {
            let line = line?;
            allowed |= Some(line.as_str()) == header;
            if line.is_empty() {
                break;
            }
        }
        let location = request.split(' ').nth(1).unwrap_or_default();
        noted.lock().expect("requests").push(location.to_owned());
        let path: PathBuf = directory.join(location.trim_start_matches("http://").trim_start_matches('/'));
        let (status, body) = match std::fs::read(path) {
            _ if !allowed && location.starts_with("http://") => {
                ("407 Proxy Authentication Required", Vec::new())
            }
            _ if !allowed => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"", Vec::new()),
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
    Ok(())
}
