//! How far a guest has come with the answer to its plain request: what it has finished is the client's, whatever the guest does
//! afterwards.

use http::StatusCode;

/// The answer of one store, as its guest makes it. Resources are known by their numbers in the store's table.
#[derive(Debug, Default)]
pub(in crate::controller) struct Progress {
    /// The client has asked for the head alone.
    head_only: bool,
    /// Bodies that were taken out of responses; a number is in here once, so that there are no more of them than handles.
    bodies: Vec<Taken>,
    sent: Option<Sent>,
}

/// Whether an answer with this status has no content, whatever the guest writes (RFC 9110, sections 15.3.5, 15.3.6, 15.4.5).
pub(super) fn has_no_content(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

#[derive(Debug)]
struct Taken {
    response: u32,
    body: u32,
    finished: bool,
}

#[derive(Debug)]
struct Sent {
    status: StatusCode,
    body: Option<u32>,
    whole: bool,
}

impl Progress {
    pub(super) fn of(head_only: bool) -> Self {
        Progress { head_only, ..Progress::default() }
    }

    /// The body of a response was taken, to be written.
    pub(in crate::controller) fn took(&mut self, response: u32, body: u32) {
        self.bodies.retain(|taken| taken.response != response && taken.body != body);
        self.bodies.push(Taken { response, body, finished: false });
    }

    /// The guest has given its answer. A response whose body nobody has taken has none.
    pub(in crate::controller) fn sends(&mut self, response: u32, status: StatusCode) {
        let taken = self.bodies.iter().find(|taken| taken.response == response);
        let (body, whole) = taken.map_or((None, true), |taken| (Some(taken.body), taken.finished));
        self.sent = Some(Sent { status, body, whole });
    }

    /// A body of the guest's is finished, an answer's or a request's.
    pub(in crate::controller) fn finishes(&mut self, body: u32) {
        if let Some(taken) = self.bodies.iter_mut().find(|taken| taken.body == body) {
            taken.finished = true;
        }
        if let Some(sent) = self.sent.as_mut().filter(|sent| sent.body == Some(body)) {
            sent.whole = true;
        }
    }

    /// The response that a body belongs to, if it has not been given as the answer yet.
    pub(in crate::controller) fn response_of(&self, body: u32) -> Option<u32> {
        let taken = self.bodies.iter().find(|taken| taken.body == body)?;
        self.sent.is_none().then_some(taken.response)
    }

    /// Whether nothing of this body goes out, so that it may lack what the head says of its length (RFC 9110, section 8.6).
    /// `status` is that of the response if it has not been given as the answer yet.
    pub(in crate::controller) fn has_no_content(&self, body: u32, status: Option<StatusCode>) -> bool {
        if !self.bodies.iter().any(|taken| taken.body == body) {
            return false;
        }
        let sent = self.sent.as_ref().filter(|sent| sent.body == Some(body)).map(|sent| sent.status);
        self.head_only || sent.or(status).is_some_and(has_no_content)
    }

    /// Whether the client has, or will have, the whole answer.
    pub(super) fn is_whole(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is_finished_before_or_after_it_was_given() {
        let mut progress = Progress::default();
        progress.took(1, 7);
        progress.sends(1, StatusCode::OK);
        assert!(!progress.is_whole());
        progress.finishes(8);
        assert!(!progress.is_whole(), "the body of a request");
        progress.finishes(7);
        assert!(progress.is_whole());

        let mut progress = Progress::default();
        progress.took(1, 7);
        progress.finishes(7);
        assert!(!progress.is_whole(), "nothing was given");
        progress.sends(1, StatusCode::OK);
        assert!(progress.is_whole());

        let mut progress = Progress::default();
        progress.sends(3, StatusCode::NO_CONTENT);
        assert!(progress.is_whole(), "without a body");
    }

    #[test]
    fn another_response_is_not_the_answer() {
        let mut progress = Progress::default();
        progress.took(1, 7);
        progress.finishes(7);
        progress.took(2, 9);
        progress.sends(2, StatusCode::OK);
        assert!(!progress.is_whole());
        // A number that was given back names another body.
        progress.took(2, 7);
        assert!(!progress.is_whole());
    }

    #[test]
    fn a_head_and_a_304_need_no_content() {
        let mut progress = Progress::of(true);
        progress.took(1, 7);
        assert!(progress.has_no_content(7, None) && !progress.has_no_content(8, None));
        let mut progress = Progress::of(false);
        progress.took(1, 7);
        assert_eq!(progress.response_of(7), Some(1));
        for status in [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED] {
            assert!(progress.has_no_content(7, Some(status)));
        }
        assert!(!progress.has_no_content(7, Some(StatusCode::OK)));
        progress.sends(1, StatusCode::NOT_MODIFIED);
        assert!(progress.has_no_content(7, None) && progress.response_of(7).is_none());
    }
}
