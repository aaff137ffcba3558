//! The folder of static files: which file a path names, and opening it, its compressed siblings included. Everything here
//! may wait for a disk.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use cap_primitives::fs::{OpenOptions, OpenOptionsExt, open};
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::accept::Encoding;
use super::media;

/// The page of a folder.
const INDEX: &str = "index.html";

/// How many seconds older than its file a compressed sibling may be and still be of it: copying a folder writes in any
/// order, and some file systems keep times to two seconds.
const SLACK: i64 = 2;

/// All but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A folder that was opened once. What is reached in it is reached through this handle: a name that was judged and a name
/// that is opened are the same, and what leads out is not there.
pub(super) struct Folder(File);

/// A path as the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    names: Vec<String>,
    /// It ends with a slash, and so names a folder.
    slash: bool,
}

/// What is at a path.
pub(super) enum Found {
    File(Opened),
    /// A folder whose path lacks its slash.
    Folder,
    Nothing,
}

/// A regular file that can be sent.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) version: Version,
    pub(super) media: HeaderValue,
    /// In which encoding the file is.
    pub(super) encoding: Option<Encoding>,
    /// Others would get it in another one.
    pub(super) has_encodings: bool,
}

/// What tells one content of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) length: u64,
    /// Seconds since 1970.
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

impl Version {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Version { length: metadata.len(), seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() }
    }
}

impl Target {
    /// The names of a path, percent-decoded; several slashes are one. None if nothing with this path is for clients: names
    /// that begin with a dot are editors', shells' and version control's, but `.well-known` (RFC 8615) is for all.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let mut names = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let name = percent_decode_str(segment).decode_utf8().ok()?.into_owned();
            let hidden = name.split(['/', '\\']).any(|part| part.starts_with('.') && part != ".well-known");
            if hidden || name.contains(['/', '\0']) {
                return None;
            }
            names.push(name);
        }
        Some(Target { names, slash: path.ends_with('/') })
    }

    /// The path for a client, without a slash at its end.
    pub(super) fn encoded(&self) -> String {
        self.names.iter().map(|name| format!("/{}", utf8_percent_encode(name, ESCAPED))).collect()
    }

    /// Whether it looks like the path of a file: its last name has an extension.
    pub(super) fn is_named(&self) -> bool {
        !self.slash && self.names.last().is_some_and(|name| name.contains('.'))
    }
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = File::open(path)?;
        if folder.metadata()?.is_dir() { Ok(Folder(folder)) } else { Err(io::Error::other("is not a folder")) }
    }

    pub(super) fn find(&self, target: &Target, encodings: &[Encoding]) -> io::Result<Found> {
        let path = target.names.join("/");
        let Some((file, metadata)) = self.reach(if path.is_empty() { "." } else { &path })? else {
            return Ok(Found::Nothing);
        };
        if metadata.is_dir() {
            if !target.slash {
                return Ok(Found::Folder);
            }
            let index = if path.is_empty() { INDEX.to_owned() } else { format!("{path}/{INDEX}") };
            return Ok(self.file(&index, encodings)?.map_or(Found::Nothing, Found::File));
        }
        if target.slash || !metadata.is_file() {
            return Ok(Found::Nothing);
        }
        self.represent(&path, file, &metadata, encodings).map(Found::File)
    }

    /// The regular file at `path`, in the first of `encodings` that it has.
    pub(super) fn file(&self, path: &str, encodings: &[Encoding]) -> io::Result<Option<Opened>> {
        match self.reach(path)? {
            Some((file, metadata)) if metadata.is_file() => self.represent(path, file, &metadata, encodings).map(Some),
            _ => Ok(None),
        }
    }

    fn represent(&self, path: &str, file: File, metadata: &Metadata, encodings: &[Encoding]) -> io::Result<Opened> {
        let mut beginning = [0; media::LOOKED_AT];
        let read = file.read_at(&mut beginning, 0)?;
        let version = Version::of(metadata);
        let mut opened = Opened {
            file,
            version,
            media: media::media_type(path, beginning.get(..read).unwrap_or_default()),
            encoding: None,
            has_encodings: false,
        };
        // All siblings are looked for, because caches have to know that there are some.
        let siblings = Encoding::ALL.map(|encoding| (encoding, self.sibling(path, encoding, &version)));
        let mut best = encodings.len();
        for (encoding, sibling) in siblings {
            let Some((file, version)) = sibling else { continue };
            opened.has_encodings = true;
            if let Some(rank) = encodings.iter().position(|accepted| *accepted == encoding).filter(|rank| *rank < best)
            {
                best = rank;
                (opened.file, opened.version, opened.encoding) = (file, version, Some(encoding));
            }
        }
        Ok(opened)
    }

    /// The file beside `path` that has the same content in an encoding, unless it is of an older content.
    fn sibling(&self, path: &str, encoding: Encoding, original: &Version) -> Option<(File, Version)> {
        let (file, metadata) = self.reach(&format!("{path}{}", encoding.extension())).ok().flatten()?;
        let version = Version::of(&metadata);
        let fresh = version.seconds.saturating_add(SLACK) >= original.seconds;
        (metadata.is_file() && fresh).then_some((file, version))
    }

    /// Opens what is at `path`, whatever it is; none if nothing is there for clients. It is opened without waiting: a named
    /// pipe that nobody writes to is opened at once, and is no regular file.
    fn reach(&self, path: &str) -> io::Result<Option<(File, Metadata)>> {
        let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags);
        match open(&self.0, Path::new(path), &options) {
            Ok(file) => {
                let metadata = file.metadata()?;
                Ok(Some((file, metadata)))
            }
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What may not be read, what leads out of the folder, and names that no file can have are not told from what is not there.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied | ErrorKind::InvalidInput
    ) || matches!(
        Errno::from_io_error(error),
        // Links in a ring, sockets, devices without a driver, names that this file system can not have.
        Some(Errno::LOOP | Errno::NAMETOOLONG | Errno::NXIO | Errno::NODEV | Errno::ILSEQ | Errno::XDEV)
    )
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn dots_are_hidden() {
        for path in
            ["/.git/config", "/a/../b", "/%2e%2e/x", "/..%2fx", "/.env", "/a%5c..%5cb", "/a/.", "/a%2fb", "/%00"]
        {
            assert_eq!(Target::parse(path), None, "{path}");
        }
        for path in ["/", "/a.b/c.js", "/.well-known/security.txt"] {
            assert!(Target::parse(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_path_for_clients_begins_with_one_slash() {
        for (path, encoded) in [
            ("//evil.example", "/evil.example"),
            ("///a//b/", "/a/b"),
            ("/%5cevil.example", "/%5Cevil.example"),
            ("/\\evil.example", "/%5Cevil.example"),
            ("/a%20b", "/a%20b"),
            ("/%0d%0aset-cookie:x", "/%0D%0Aset-cookie%3Ax"),
        ] {
            assert_eq!(Target::parse(path).map(|target| target.encoded()).as_deref(), Some(encoded), "{path}");
        }
        assert_eq!(Target::parse("/%2fevil.example"), None);
    }
}
