//! Paths beyond ASCII, and files that are none.

use crate::harness::host::TestHost;
use crate::harness::wait::within;

#[tokio::test]
async fn a_path_beyond_ascii_is_reached_as_browsers_write_it() {
    let host = TestHost::serving(&["probe"])
        .config(|config| {
            let own = config.overrides.entry("probe".to_owned()).or_default();
            own.path = Some("/café au lait/{*rest}".to_owned());
        })
        .start()
        .await;
    host.connect("/caf%C3%A9%20au%20lait/x").await.exchange("echo hi", "hi").await;
    host.knock("/cafe/x").refused(404).await;
}

#[tokio::test]
async fn a_pipe_is_no_component() {
    let starting = TestHost::serving(&["echo"]).pipe("odd.wasm").start();
    let host = within("the host starts although nobody writes to the pipe", starting).await;
    let [line] = host.rejected.as_slice() else { panic!("one line: {:?}", host.rejected) };
    assert!(line.contains("odd.wasm") && !line.contains('\n'), "{line}");
    host.connect("/echo").await.exchange("hi", "hi").await;
}
