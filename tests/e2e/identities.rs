//! Identities: the same scenarios on every store, in memory, in a file and in Redis; then what only some of them have: many
//! servers, a Redis that is away, other programs, a file that is damaged.

use crate::harness::host::Furnished;
use crate::harness::redis::RedisServer;
use std::sync::Arc;

mod chaos;
mod failing;
mod lapsing;
mod many;
mod notifying;
mod post;
mod registering;

macro_rules! on_every_store {
    ($($group:ident::$scenario:ident,)+) => {
        /// Without a place to keep anything.
        mod in_memory {
            $(#[tokio::test]
            async fn $scenario() {
                super::$group::$scenario(super::post::office()).await;
            })+
        }

        /// In a file.
        mod on_disk {
            $(#[tokio::test]
            async fn $scenario() {
                super::$group::$scenario(super::post::office().data()).await;
            })+
        }

        /// In a Redis.
        mod on_redis {
            $(#[tokio::test]
            async fn $scenario() {
                super::$group::$scenario(super::with_redis(super::post::office()).await).await;
            })+
        }
    };
}

on_every_store! {
    registering::an_identity_is_known_from_the_first_registration_on,
    registering::the_newest_win_and_the_oldest_are_told,
    registering::registering_again_repeats_nothing,
    registering::unregistering_ends_it_and_what_comes_later_waits,
    registering::closing_unregisters,
    registering::a_connection_has_several_identities_up_to_its_limit,
    registering::what_is_no_identity_is_refused,
    registering::a_constructor_may_register,
    registering::who_is_replaced_may_register_again,
    registering::a_kept_socket_of_a_closed_connection_is_gone,
    registering::at_once_and_again_and_again,
    notifying::everything_comes_once_and_in_order,
    notifying::what_has_waited_comes_before_anything_newer,
    notifying::both_tabs_get_everything,
    notifying::a_newcomer_begins_where_nobody_has_been,
    notifying::plain_requests_notify_and_ask,
    notifying::a_handler_may_register_notify_and_leave,
    notifying::a_full_mailbox_drops_its_oldest,
    notifying::what_is_too_large_is_refused,
    notifying::who_does_not_read_loses_nothing,
    notifying::who_is_closing_swallows_nothing,
    notifying::a_host_that_stops_swallows_nothing,
    failing::a_handler_that_fails_gets_it_again_until_it_is_set_aside,
    failing::a_failure_costs_neighbours_nothing,
    failing::one_that_fails_does_not_keep_the_other_from_it,
    lapsing::lifetimes_pass_and_are_renewed,
}

/// With a Redis of its own.
async fn with_redis(host: Furnished) -> Furnished {
    let redis = Arc::new(RedisServer::start().await);
    host.redis(&redis.url()).keeping(redis)
}
