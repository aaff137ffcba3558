//! What a store promises, each promise once, run on every store there is. What only the file does is tested beside it, in
//! `embedded/tests.rs`; what only Redis does in `foreign`.

mod accounts;
mod errors;
mod foreign;
mod lapses;
mod mailboxes;
mod registration;
pub(super) mod stores;
mod values;

macro_rules! on_every_store {
    ($($group:ident::$scenario:ident,)+) => {
        on_every_store! { in_memory: $($group::$scenario,)+ }
        on_every_store! { on_disk: $($group::$scenario,)+ }
        on_every_store! { on_redis: $($group::$scenario,)+ }
    };
    ($store:ident: $($group:ident::$scenario:ident,)+) => {
        mod $store {
            $(#[tokio::test]
            async fn $scenario() {
                super::$group::$scenario(&super::stores::$store().await).await;
            })+
        }
    };
}

on_every_store! {
    registration::an_identity_is_there_from_the_first_registration_on,
    registration::the_newest_win,
    registration::registering_again_is_one_registration,
    registration::a_hundred_at_once_leave_three,
    registration::fewer_may_register_later,
    registration::who_unregisters_is_no_holder,
    registration::names_may_hold_anything,
    mailboxes::nobody_is_no_receiver,
    mailboxes::an_absent_receiver_finds_it_later,
    mailboxes::everything_comes_in_order,
    mailboxes::a_fetch_is_bounded,
    mailboxes::two_holders_each_get_everything,
    mailboxes::a_newcomer_gets_what_nobody_has_handled,
    mailboxes::what_a_holder_leaves_behind_waits_for_the_next,
    mailboxes::a_full_mailbox_drops_the_oldest,
    mailboxes::a_full_mailbox_is_counted_in_bytes,
    mailboxes::an_event_that_never_fits_is_refused,
    mailboxes::what_is_handled_makes_room,
    mailboxes::what_is_still_to_come_has_not_been_handled,
    mailboxes::who_is_no_holder_has_handled_it_all_the_same,
    mailboxes::a_notification_that_fails_too_often_is_set_aside,
    mailboxes::the_event_comes_as_it_was,
    mailboxes::many_at_once_lose_nothing,
    accounts::an_owner_has_so_many_identities,
    accounts::an_owner_pays_for_its_mailboxes,
    accounts::what_is_set_aside_is_paid_for,
    accounts::who_lives_on_by_acknowledging_is_paid_for,
    accounts::what_has_lapsed_costs_nothing,
    lapses::an_identity_lapses_with_its_mailbox,
    lapses::a_registration_renews,
    lapses::an_acknowledgement_renews,
    lapses::a_notification_does_not_renew,
    lapses::ids_go_on_when_an_identity_comes_again,
    lapses::a_lapsed_holder_has_handled_nothing,
    values::what_is_set_is_there,
    values::a_value_may_be_anything,
    values::keys_may_be_anything,
    values::buckets_are_apart,
    values::what_is_deleted_is_gone,
    values::a_value_lapses,
    values::setting_again_sets_the_lifetime_again,
    values::numbers_add_up,
    values::many_adders_lose_nothing,
    values::a_number_keeps_its_lifetime,
    values::what_is_no_number_is_not_added_to,
    values::only_what_is_expected_is_swapped,
    values::one_of_many_swappers_wins,
    values::keys_are_listed_in_order,
    values::pages_follow_each_other,
    values::what_has_lapsed_is_not_listed,
    values::a_bucket_has_a_limit,
    values::a_number_that_grows_nothing_needs_no_room,
    values::what_has_lapsed_takes_no_room,
}
