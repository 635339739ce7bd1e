use std::time::Duration;

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::*;
use crate::bench::bare::Bare;
use crate::bench::orders::StampsTo;

const REQUEST: &str = "GET /api/stream HTTP/1.1\r\nhost: a\r\n\r\n";

fn reader_of(bare: &Bare) -> Reader {
    let control = bare.control_at().expect("it is bound");
    Reader::new(Setup {
        streams_at: bare.streams_at().expect("it is bound"),
        requests: vec![REQUEST.to_owned()],
        dealt: 1,
        stamps_to: StampsTo::Bare { address: control },
    })
    .expect("the control port is open")
}

fn with_bare(streams: usize, work: impl FnOnce(&mut Reader)) {
    let bare = Bare::bind(300).expect("loopback");
    let mut end = TcpStream::connect(bare.control_at().expect("it is bound")).expect("it listens");
    let mut reader = reader_of(&bare);
    let server: JoinHandle<anyhow::Result<()>> = thread::spawn(|| bare.run());

    reader.open(streams).expect("it accepts");
    work(&mut reader);

    end.write_all(b"end\n").expect("it listens");
    server.join().expect("no panic").expect("no error");
}

#[test]
fn every_stream_has_each_stamp_once_and_in_order() {
    with_bare(50, |reader| {
        let report = reader.one_by_one(100, 20).expect("it runs");
        assert_eq!((report.sent, report.deliveries), (20, 20 * 50));
        assert_eq!(report.faults(), 0);
        assert_eq!(report.bytes_per_delivery, 300);
        assert!(report.p50 <= report.p99 && report.p99 <= report.max);
        assert!(report.max.is_some());
    });
}

#[test]
fn streams_opened_later_join_the_others() {
    with_bare(10, |reader| {
        reader.one_by_one(1, 5).expect("it runs");
        reader.open(80).expect("it accepts");
        let report = reader.one_by_one(6, 5).expect("it runs");
        assert_eq!((report.deliveries, report.faults()), (5 * 80, 0));
    });
}

#[test]
fn stamps_sent_by_another_hand_are_counted_since_the_beginning() {
    with_bare(10, |reader| {
        reader.begin();
        for sequence in 1..=30 {
            reader
                .stamps
                .send(sequence, unix_micros())
                .expect("it listens");
        }
        assert!(
            reader
                .wait_for(30, Duration::from_millis(100))
                .expect("it runs")
        );
        let report = reader.report(30);
        assert_eq!((report.deliveries, report.faults()), (300, 0));

        let report = reader.report(31);
        assert_eq!(report.lost, 10, "one on each stream");
    });
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_server() {
    let bare = Bare::bind(300).expect("loopback");
    let refusing = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let mut reader = reader_of(&bare);
    reader.setup.streams_at = refusing.local_addr().expect("it is bound");
    let server = thread::spawn(move || {
        let (socket, _) = refusing.accept().expect("a stream");
        let mut socket = BufReader::new(socket);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            socket.read_line(&mut line).expect("a request");
        }
        socket
            .get_mut()
            .write_all(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
            .expect("it reads");
    });

    let error = reader.open(1).expect_err("no stream");
    assert!(error.to_string().contains("401 Unauthorized"), "{error}");
    server.join().expect("no panic");
}
