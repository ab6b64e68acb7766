//! An S3 server that is no limit to what is measured against it: objects in memory, a thread a connection.
//!
//! It knows what moving objects takes (GET, also of ranges, HEAD, PUT, also in parts, DELETE, listings) and checks
//! nobody's signature. `DELETE /bucket?prefix=...`, which S3 does not know, forgets all that begins so. It says on which
//! address it listens, and serves until it is killed. `rustc -O s3server.rs` builds it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;

/// The bytes of an object, in the pieces that they were sent in.
type Content = Arc<Vec<Arc<Vec<u8>>>>;
type Parts = BTreeMap<usize, Arc<Vec<u8>>>;

#[derive(Default)]
struct Store {
    objects: RwLock<BTreeMap<String, Content>>,
    uploads: RwLock<BTreeMap<String, (String, Parts)>>,
    begun: AtomicUsize,
}

const DATED: &str = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
const XML: &str = "Content-Type: application/xml\r\n";
const MOST_LISTED: usize = 1000;
const SMALL: usize = 1 << 16;

struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
}

struct Answer {
    status: &'static str,
    headers: String,
    body: Content,
    part: (usize, usize),
}

fn length(content: &Content) -> usize {
    content.iter().map(|piece| piece.len()).sum()
}

impl Answer {
    fn new(status: &'static str, headers: &str, body: Vec<u8>) -> Answer {
        let part = (0, body.len());
        Answer {
            status,
            headers: headers.to_string(),
            body: Arc::new(vec![Arc::new(body)]),
            part,
        }
    }

    fn xml(body: String) -> Answer {
        Answer::new("200 OK", XML, body.into_bytes())
    }

    fn empty(headers: &str) -> Answer {
        Answer::new("200 OK", headers, Vec::new())
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
    let store: Arc<Store> = Arc::default();
    for connection in listener.incoming().flatten() {
        let store = store.clone();
        thread::spawn(move || serve(connection, &store));
    }
    Ok(())
}

/// Answer the requests of one connection until the client hangs up.
fn serve(connection: TcpStream, store: &Store) -> io::Result<()> {
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
        let answer = answer(&request, body, store);
        let (start, stop) = answer.part;
        let length = stop - start;
        let mut sent = format!(
            "HTTP/1.1 {}\r\n{}Content-Length: {length}\r\n\r\n",
            answer.status, answer.headers
        )
        .into_bytes();
        if request.method != "HEAD" {
            send(&mut out, &mut sent, &answer)?;
        }
        out.write_all(&sent)?;
    }
    Ok(())
}

/// Send the part of the body that was asked for; a small one comes behind its head, for one write of both.
fn send(out: &mut TcpStream, sent: &mut Vec<u8>, answer: &Answer) -> io::Result<()> {
    let (start, stop) = answer.part;
    let mut before = 0;
    for piece in answer.body.iter() {
        let (first, last) = (start.max(before), stop.min(before + piece.len()));
        if first < last {
            let wanted = &piece[first - before..last - before];
            if wanted.len() <= SMALL {
                sent.extend_from_slice(wanted);
            } else {
                out.write_all(sent)?;
                sent.clear();
                out.write_all(wanted)?;
            }
        }
        before += piece.len();
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

fn answer(request: &Request, body: Vec<u8>, store: &Store) -> Answer {
    let path = request.path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let (method, query) = (request.method.as_str(), &request.query);
    if let Some(upload) = query.get("uploadId") {
        return parted(request, path, upload, body, store);
    }
    match (method, key.is_empty()) {
        ("GET", true) if query.contains_key("uploads") => Answer::xml(uploads(bucket, store)),
        ("GET", true) => Answer::xml(listing(bucket, query, store)),
        ("DELETE", true) => {
            let prefix = format!("{bucket}/{}", query.get("prefix").map_or("", String::as_str));
            store
                .objects
                .write()
                .unwrap()
                .retain(|path, _| !path.starts_with(&prefix));
            Answer::empty("")
        }
        ("HEAD" | "PUT", true) => Answer::empty(""),
        ("GET" | "HEAD", false) => found(path, request.headers.get("range"), store),
        ("PUT", false) => stored(path, vec![Arc::new(body)], &request.headers, store),
        ("POST", false) if query.contains_key("uploads") => {
            let upload = format!("{:08}", store.begun.fetch_add(1, Ordering::Relaxed));
            let begun = (path.to_string(), Parts::new());
            store.uploads.write().unwrap().insert(upload.clone(), begun);
            Answer::xml(format!(
                "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{}</Key>\
                 <UploadId>{upload}</UploadId></InitiateMultipartUploadResult>",
                escaped(key)
            ))
        }
        ("DELETE", false) => {
            store.objects.write().unwrap().remove(path);
            Answer::new("204 No Content", "", Vec::new())
        }
        _ => Answer::refusal("501 Not Implemented", "NotImplemented"),
    }
}

/// Do what is asked of an upload in parts.
fn parted(request: &Request, path: &str, upload: &str, body: Vec<u8>, store: &Store) -> Answer {
    let mut uploads = store.uploads.write().unwrap();
    let Some((_, parts)) = uploads.get_mut(upload) else {
        return Answer::refusal("404 Not Found", "NoSuchUpload");
    };
    match request.method.as_str() {
        "PUT" => {
            let number = request
                .query
                .get("partNumber")
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(1);
            let part = Arc::new(body);
            let headers = format!("ETag: {}\r\n", etag(&part));
            parts.insert(number, part);
            Answer::empty(&headers)
        }
        "GET" => {
            let rows: String = parts
                .iter()
                .map(|(number, part)| {
                    let (size, tag) = (part.len(), escaped(&etag(part)));
                    format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag><Size>{size}</Size></Part>")
                })
                .collect();
            Answer::xml(format!(
                "<ListPartsResult><IsTruncated>false</IsTruncated>{rows}</ListPartsResult>"
            ))
        }
        "POST" => {
            let pieces: Vec<_> = parts.values().cloned().collect();
            uploads.remove(upload);
            drop(uploads);
            let answer = stored(path, pieces, &request.headers, store);
            if answer.status != "200 OK" {
                return answer;
            }
            let tag = answer.headers.trim_end().trim_start_matches("ETag: ");
            Answer::xml(format!(
                "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>",
                escaped(tag)
            ))
        }
        _ => {
            uploads.remove(upload);
            Answer::new("204 No Content", "", Vec::new())
        }
    }
}

fn uploads(bucket: &str, store: &Store) -> String {
    let rows: String = store
        .uploads
        .read()
        .unwrap()
        .iter()
        .filter_map(|(upload, (path, _))| Some((upload, path.strip_prefix(&format!("{bucket}/"))?)))
        .map(|(upload, key)| {
            let key = escaped(key);
            format!(
                "<Upload><Key>{key}</Key><UploadId>{upload}</UploadId>\
                 <Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
            )
        })
        .collect();
    format!("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{rows}</ListMultipartUploadsResult>")
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

fn found(path: &str, range: Option<&String>, store: &Store) -> Answer {
    let Some(content) = store.objects.read().unwrap().get(path).cloned() else {
        return Answer::refusal("404 Not Found", "NoSuchKey");
    };
    let size = length(&content);
    let headers = format!("{DATED}ETag: {}\r\nAccept-Ranges: bytes\r\n", etag(&content[0]));
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

fn stored(path: &str, pieces: Vec<Arc<Vec<u8>>>, headers: &HashMap<String, String>, store: &Store) -> Answer {
    let mut all = store.objects.write().unwrap();
    if headers.contains_key("if-none-match") && all.contains_key(path) {
        return Answer::refusal("412 Precondition Failed", "PreconditionFailed");
    }
    let headers = format!("ETag: {}\r\n", etag(&pieces[0]));
    all.insert(path.to_string(), Arc::new(pieces));
    Answer::empty(&headers)
}

/// Give a page of `ListObjectsV2`; the last name of a page is the token for the next one.
fn listing(bucket: &str, query: &HashMap<String, String>, store: &Store) -> String {
    let value = |name: &str| query.get(name).map_or("", String::as_str);
    let most = value("max-keys").parse().unwrap_or(MOST_LISTED).min(MOST_LISTED);
    let after = value("continuation-token").max(value("start-after"));
    let prefix = format!("{bucket}/{}", value("prefix"));
    let mut position = Bound::Included(prefix.clone());
    if format!("{bucket}/{after}") >= prefix && !after.is_empty() {
        position = Bound::Excluded(format!("{bucket}/{after}"));
    }
    let (all, delimiter) = (store.objects.read().unwrap(), value("delimiter"));
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
                length(content),
                escaped(&etag(&content[0])),
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
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
