//! What is in the folder and is not served: what leads out, and what is no file.

use crate::harness::host::TestHost;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

#[tokio::test]
async fn what_leads_out_or_is_no_file_is_not_there() {
    let host = TestHost::bare()
        .public(&[("in/page.txt", "inside"), ("../secret.txt", "outside"), ("../secrets/key.txt", "outside")])
        .in_public(|public| {
            let link = |to: &str, name: &str| symlink(to, public.join(name)).expect("links can be made");
            link("../secret.txt", "out.txt");
            link("../secrets", "out");
            link("/etc", "root");
            link("/etc/hosts", "hosts.txt");
            link(&public.join("in/page.txt").display().to_string(), "absolute.txt");
            link("ring-b", "ring-a");
            link("ring-a", "ring-b");
            link("nothing", "dangling");
            link("in/page.txt", "page.txt");
            link("in", "within");
            link("/dev/zero", "zero");
            let made = Command::new("mkfifo").arg(public.join("pipe")).status();
            assert!(made.expect("every Unix has mkfifo").success(), "the test's own folder");
            drop(UnixListener::bind(public.join("s")));
        })
        .start()
        .await;
    for target in [
        "/out.txt",
        "/out/key.txt",
        "/out",
        "/out/",
        "/root/hosts",
        "/hosts.txt",
        "/absolute.txt",
        "/ring-a",
        "/ring-a/x",
        "/dangling",
        "/zero",
        "/pipe",
        "/pipe/",
        "/s",
        "/in/page.txt/",
    ] {
        for method in ["GET", "HEAD"] {
            let answer = host.ask(method, target).get().await;
            assert_eq!(answer.status, 404, "{method} {target}: {:?}", answer.text());
        }
    }
    // Links within the folder are as good as what they lead to.
    for target in ["/page.txt", "/within/page.txt"] {
        assert_eq!(host.ask("GET", target).get().await.text(), "inside", "{target}");
    }
}

#[tokio::test]
async fn names_that_no_file_can_have_are_404() {
    let host = TestHost::bare().public(&[("index.html", "page")]).start().await;
    for target in [
        format!("/{}", "n".repeat(256)),
        format!("/{}.txt", "n".repeat(252)),
        format!("/{}", "n/".repeat(4_000)),
        format!("/{}", "%c3%a9".repeat(200)),
        "/a%00b".to_owned(),
        "/a%2fb".to_owned(),
        "/index.html%2f".to_owned(),
    ] {
        let answer = host.ask("GET", &target).get().await;
        assert_eq!(answer.status, 404, "{}", &target[..target.len().min(40)]);
    }
    // One that is just short enough has no room for the name of its compressed sibling, and is served.
    let longest = "n".repeat(255);
    fs::write(host.public().join(&longest), "long").expect("the test's own folder");
    let answer = host.ask("GET", &format!("/{longest}")).header("accept-encoding", "gzip, br").get().await;
    assert_eq!(answer.text(), "long");
}

#[tokio::test]
async fn the_folder_is_the_one_that_was_opened() {
    let host = TestHost::bare().public(&[("page.txt", "before")]).start().await;
    let public = host.public();
    fs::rename(&public, public.with_file_name("elsewhere")).expect("the test's own folder");
    fs::create_dir(&public).expect("the test's own folder");
    fs::write(public.join("page.txt"), "another").expect("the test's own folder");
    assert_eq!(host.ask("GET", "/page.txt").get().await.text(), "before");
}
