//! An S3 server that is no limit to what is measured against it: objects in memory, a thread a connection.
//!
//! It knows what moving small objects takes (GET, HEAD, PUT, DELETE, listings) and checks nobody's signature. It says
//! on which address it listens, and serves until it is killed. `rustc -O s3server.rs` builds it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Bound;
use std::sync::{Arc, RwLock};
use std::thread;

type Objects = RwLock<BTreeMap<String, Arc<Vec<u8>>>>;

const DATED: &str = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
const XML: &str = "Content-Type: application/xml\r\n";
const MOST_LISTED: usize = 1000;

struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
}

struct Answer {
    status: &'static str,
    headers: String,
    body: Arc<Vec<u8>>,
    part: (usize, usize),
}

impl Answer {
    fn new(status: &'static str, headers: &str, body: Vec<u8>) -> Answer {
        let part = (0, body.len());
        Answer {
            status,
            headers: headers.to_string(),
            body: Arc::new(body),
            part,
        }
    }

    fn refusal(status: &'static str, code: &str) -> Answer {
        Answer::new(
            status,
            XML,
            format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>").into_bytes(),
        )
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let objects: Arc<Objects> = Arc::default();
    for connection in listener.incoming().flatten() {
        let objects = objects.clone();
        thread::spawn(move || serve(connection, &objects));
    }
    Ok(())
}

/// Answer the requests of one connection until the client hangs up.
fn serve(connection: TcpStream, objects: &Objects) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut out = connection.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, connection);
    while let Some(request) = read_head(&mut reader)? {
        if request
            .headers
            .get("expect")
            .is_some_and(|expected| expected.starts_with("100"))
        {
            out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = read_body(&mut reader, &request.headers)?;
        let answer = answer(&request, body, objects);
        let (start, stop) = answer.part;
        let length = stop - start;
        let mut sent = format!(
            "HTTP/1.1 {}\r\n{}Content-Length: {length}\r\n\r\n",
            answer.status, answer.headers
        )
        .into_bytes();
        if request.method != "HEAD" {
            sent.extend_from_slice(&answer.body[start..stop]);
        }
        out.write_all(&sent)?;
    }
    Ok(())
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_string())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut headers = HashMap::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let query = pairs
        .map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))))
        .collect();
    Ok(Some(Request {
        method: method.to_string(),
        path: decoded(path),
        query,
        headers,
    }))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or("").as_bytes());
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(part[2..].as_bytes());
            }
            None => bytes.extend_from_slice(format!("%{part}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Read what a request brings: as long as it says, or in HTTP's chunks; AWS puts chunks of its own around either.
fn read_body(reader: &mut impl BufRead, headers: &HashMap<String, String>) -> io::Result<Vec<u8>> {
    let body = if headers
        .get("transfer-encoding")
        .is_some_and(|how| how.contains("chunked"))
    {
        unchunked(reader)?
    } else {
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        body
    };
    match headers.get("content-encoding") {
        Some(how) if how.contains("aws-chunked") => unchunked(&mut &body[..]),
        _ => Ok(body),
    }
}

fn unchunked(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?;
        let digits = line.split(';').next().unwrap_or("");
        let size = u64::from_str_radix(digits.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if size == 0 {
            while !read_line(reader)?.is_empty() {} // trailers
            return Ok(body);
        }
        reader.by_ref().take(size).read_to_end(&mut body)?;
        read_line(reader)?;
    }
}

fn answer(request: &Request, body: Vec<u8>, objects: &Objects) -> Answer {
    let path = request.path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    match (request.method.as_str(), key.is_empty()) {
        ("GET", true) => Answer::new("200 OK", XML, listing(bucket, &request.query, objects)),
        ("HEAD" | "PUT", true) => Answer::new("200 OK", "", Vec::new()),
        ("GET" | "HEAD", false) => found(path, request.headers.get("range"), objects),
        ("PUT", false) if !request.query.contains_key("uploadId") => stored(path, body, &request.headers, objects),
        ("DELETE", false) => {
            objects.write().unwrap().remove(path);
            Answer::new("204 No Content", "", Vec::new())
        }
        _ => Answer::refusal("501 Not Implemented", "NotImplemented"),
    }
}

/// Name a state of an object at a low cost; the `-1` says, as of an object sent in parts, that this is no md5.
fn etag(content: &[u8]) -> String {
    let sum = content[..content.len().min(64)]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("\"{sum:032x}-1\"")
}

fn found(path: &str, range: Option<&String>, objects: &Objects) -> Answer {
    let Some(content) = objects.read().unwrap().get(path).cloned() else {
        return Answer::refusal("404 Not Found", "NoSuchKey");
    };
    let size = content.len();
    let headers = format!("{DATED}ETag: {}\r\nAccept-Ranges: bytes\r\n", etag(&content));
    let asked = range.and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = asked else {
        return Answer {
            status: "200 OK",
            headers,
            body: content,
            part: (0, size),
        };
    };
    let start = first.parse().unwrap_or(0);
    let stop = last.parse::<usize>().map_or(size, |last| size.min(last + 1));
    if start >= stop {
        return Answer::refusal("416 Range Not Satisfiable", "InvalidRange");
    }
    let headers = format!("{headers}Content-Range: bytes {start}-{}/{size}\r\n", stop - 1);
    Answer {
        status: "206 Partial Content",
        headers,
        body: content,
        part: (start, stop),
    }
}

fn stored(path: &str, body: Vec<u8>, headers: &HashMap<String, String>, objects: &Objects) -> Answer {
    let mut all = objects.write().unwrap();
    if headers.contains_key("if-none-match") && all.contains_key(path) {
        return Answer::refusal("412 Precondition Failed", "PreconditionFailed");
    }
    let headers = format!("ETag: {}\r\n", etag(&body));
    all.insert(path.to_string(), Arc::new(body));
    Answer::new("200 OK", &headers, Vec::new())
}

/// Give a page of `ListObjectsV2`; the last name of a page is the token for the next one.
fn listing(bucket: &str, query: &HashMap<String, String>, objects: &Objects) -> Vec<u8> {
    let value = |name: &str| query.get(name).map_or("", String::as_str);
    let most = value("max-keys").parse().unwrap_or(MOST_LISTED).min(MOST_LISTED);
    let after = value("continuation-token").max(value("start-after"));
    let prefix = format!("{bucket}/{}", value("prefix"));
    let mut position = Bound::Included(prefix.clone());
    if format!("{bucket}/{after}") >= prefix && !after.is_empty() {
        position = Bound::Excluded(format!("{bucket}/{after}"));
    }
    let (all, delimiter) = (objects.read().unwrap(), value("delimiter"));
    let (mut rows, mut count, mut last) = (String::new(), 0, String::new());
    while let Some((path, content)) = all.range((position.clone(), Bound::Unbounded)).next() {
        if !path.starts_with(&prefix) || count == most {
            break;
        }
        let inner = &path[prefix.len()..];
        let folder = if delimiter.is_empty() {
            None
        } else {
            inner.find(delimiter)
        };
        count += 1;
        if let Some(end) = folder {
            let common = &path[bucket.len() + 1..prefix.len() + end + delimiter.len()];
            rows.push_str(&format!(
                "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                escaped(common)
            ));
            last = format!("{common}\u{10ffff}"); // behind everything in that folder
        } else {
            last = path[bucket.len() + 1..].to_string();
            rows.push_str(&format!(
                "<Contents><Key>{}</Key><Size>{}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>{}</ETag><StorageClass>STANDARD</StorageClass></Contents>",
                escaped(&last),
                content.len(),
                escaped(&etag(content)),
            ));
        }
        position = Bound::Excluded(format!("{bucket}/{last}"));
    }
    let more = all
        .range((position, Bound::Unbounded))
        .next()
        .is_some_and(|(path, _)| path.starts_with(&prefix));
    let next = if more {
        format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last))
    } else {
        String::new()
    };
    format!(
        "<ListBucketResult><Name>{bucket}</Name><Prefix>{}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{more}</IsTruncated>{next}{rows}</ListBucketResult>",
        escaped(value("prefix")),
    )
    .into_bytes()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
