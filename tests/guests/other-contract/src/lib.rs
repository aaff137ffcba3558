//! A guest that was built against another contract under the name and version of ours: every function is there, and none
//! takes or gives what the host's does.
#![cfg_attr(target_arch = "wasm32", allow(unsafe_code, reason = "what `wit_bindgen` generates"))]

#[cfg(target_arch = "wasm32")]
mod component {
    use exports::lakou::controller::controller::{Connection, ConnectionBorrow, Guest, GuestConnection};

    wit_bindgen::generate!({
        world: "other",
        inline: r"
            package lakou:controller@0.1.0;

            interface controller {
                connect: func() -> u32;

                resource connection {
                    constructor();
                    resume: static func() -> connection;
                    suspend: func();
                    on-undelivered: func();
                    on-notification: func();
                    on-replaced: func();
                    on-shutdown: func();
                    on-close: func();
                }

                receive: func(batch: list<borrow<connection>>);
                deliver: func(to: list<borrow<connection>>);
            }

            world other {
                export controller;
            }
        ",
    });

    struct Other;

    impl Guest for Other {
        type Connection = Other;

        fn connect() -> u32 {
            101
        }

        fn receive(_batch: Vec<ConnectionBorrow<'_>>) {}

        fn deliver(_to: Vec<ConnectionBorrow<'_>>) {}
    }

    impl GuestConnection for Other {
        fn new() -> Self {
            Other
        }

        fn resume() -> Connection {
            Connection::new(Other)
        }

        fn suspend(&self) {}

        fn on_undelivered(&self) {}

        fn on_notification(&self) {}

        fn on_replaced(&self) {}

        fn on_shutdown(&self) {}

        fn on_close(&self) {}
    }

    export!(Other);
}
