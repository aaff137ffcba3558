//! Certificates for servers at 127.0.0.1, made by the `openssl` of the machine: an authority, and a server's certificate
//! that it has signed. Two, because rustls does not take an authority's certificate for a server's.

use crate::harness::folder::Folder;
use std::path::{Path, PathBuf};
use std::process::Command;

const SETTINGS: &str = "
[req]
distinguished_name = name
prompt = no
[name]
CN = Lakou test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
";

/// Files of one server.
pub(in crate::harness) struct Certificates {
    pub(in crate::harness) authority: PathBuf,
    pub(in crate::harness) certificate: PathBuf,
    pub(in crate::harness) key: PathBuf,
}

impl Certificates {
    /// Makes them in `folder`.
    pub(in crate::harness) fn new(folder: &Folder) -> Self {
        folder.write("settings.cnf", SETTINGS);
        let settings = "-config settings.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(
            folder.path(),
            &format!("req -x509 {settings} -extensions authority -days 2 -keyout authority.key -out authority.crt"),
        );
        openssl(folder.path(), &format!("req -new {settings} -subj /CN=127.0.0.1 -keyout server.key -out server.csr"));
        openssl(
            folder.path(),
            "x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 \
             -extfile settings.cnf -extensions server -out server.crt",
        );
        Certificates {
            authority: folder.join("authority.crt"),
            certificate: folder.join("server.crt"),
            key: folder.join("server.key"),
        }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output();
    let output = output.expect("openssl is on the PATH; `make redis-server` sees to that");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
