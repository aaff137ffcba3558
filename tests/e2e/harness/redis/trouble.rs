//! Everything that can befall a network, at random moments: what a program must have survived before it may say that it
//! survives anything. The same seed makes the same series.

use super::proxy::Network;
use crate::harness::random::Random;
use crate::harness::wait::within;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How many troubles there are, unless it is stopped before: some seconds of them.
const TROUBLES: u16 = 50;

/// What the moments are counted in.
const BEAT: Duration = Duration::from_millis(10);

/// A series of troubles. Dropping it ends them, and a failing test prints its seed.
pub(crate) struct Trouble {
    seed: u64,
    stop: Option<oneshot::Sender<()>>,
    series: Option<JoinHandle<u16>>,
}

impl Trouble {
    pub(super) fn begin(network: Arc<Network>, seed: u64) -> Self {
        let (stop, stopped) = oneshot::channel();
        let series = tokio::spawn(series(network, Random::new(seed), stopped));
        Trouble { seed, stop: Some(stop), series: Some(series) }
    }

    /// Ends the series, and returns when the network is whole again: how many troubles there were.
    pub(crate) async fn stop(mut self) -> u16 {
        self.stop = None;
        self.whole().await
    }

    /// Waits for the end of the series, and returns when the network is whole again: how many troubles there were.
    pub(crate) async fn ended(mut self) -> u16 {
        self.whole().await
    }

    async fn whole(&mut self) -> u16 {
        let series = self.series.take().expect("it is waited for once");
        within("the series of troubles ends", series).await.expect("it does not panic")
    }
}

impl Drop for Trouble {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed of the trouble was {:#x}", self.seed);
        }
    }
}

async fn series(network: Arc<Network>, mut random: Random, mut stopped: oneshot::Receiver<()>) -> u16 {
    let mut count = 0;
    let mut pulse = tokio::time::interval(BEAT);
    while count < TROUBLES {
        let rest = async {
            for _ in 0..=random.below(10) {
                pulse.tick().await;
            }
        };
        tokio::select! {
            () = rest => {}
            _ = &mut stopped => break,
        }
        count += 1;
        match random.below(6) {
            0 => network.cut(),
            1 => network.half_close(),
            2 => network.stall(true),
            3 => network.refuse().await,
            // Twice as often as each of these, so that something gets through.
            _ => whole(&network),
        }
    }
    whole(&network);
    count
}

/// Lets everything through. Connections that are open go on.
fn whole(network: &Network) {
    network.stall(false);
    network.accept();
}
