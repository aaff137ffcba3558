//! Streams that somebody has spoilt: an entry with an id far in the future is the end of a stream, because ids only grow, and
//! whoever has read it waits for larger ones. Such a stream is made anew, with the same entries under ids of now.

use redis::Script;

use super::Shared;
use super::order::Position;
use crate::link::LinkError;

/// By how much the id of an entry may be ahead of Redis' clock, in milliseconds: a clock that is set, or that of a new master,
/// may be behind.
pub(super) const AHEAD: u64 = 60_000;

/// What is copied of a stream that is made anew, in bytes: the newest of it.
const COPIED: u64 = 32 * 1024 * 1024;

/// Makes sure that the stream is there and not at its end, and tells the last id that it has given, Redis' time, and whether it
/// was made anew; nothing if something else is there. ARGV: the lifetime of the stream or 0, how far an id may be ahead, how
/// large an entry may be, how much is copied. Nothing is lost but entries that readers skip: those too large, or with more fields
/// than a script can hand on.
const LOOK: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  redis.call('XADD', KEYS[1], 'MAXLEN', 0, '*', 'v', '1')
elseif kind ~= 'stream' then
  return false
end
local function last()
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end
local function is_ahead(id)
  return tonumber(string.match(id, '^%d+')) > now + tonumber(ARGV[2])
end
local mended = 0
if is_ahead(last()) then
  local kept, first, bytes, from = {}, 1, 0, '-'
  repeat
    local some = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 16)
    for _, entry in ipairs(some) do
      local size = 0
      for _, text in ipairs(entry[2]) do size = size + #text end
      if size <= tonumber(ARGV[3]) and #entry[2] <= 1000 then
        table.insert(kept, { entry, size })
        bytes = bytes + size
      end
      while bytes > tonumber(ARGV[4]) do
        bytes = bytes - kept[first][2]
        kept[first] = false
        first = first + 1
      end
      from = '(' .. entry[1]
    end
  until #some == 0 or from == '(18446744073709551615-18446744073709551615'
  redis.call('DEL', KEYS[1])
  for at = first, #kept do
    local entry = kept[at][1]
    redis.call('XADD', KEYS[1], is_ahead(entry[1]) and '*' or entry[1], unpack(entry[2]))
  end
  if first > #kept then
    redis.call('XADD', KEYS[1], 'MAXLEN', 0, '*', 'v', '1')
  end
  mended = 1
end
if ARGV[1] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { last(), string.format('%.0f', now), mended }";

/// How a stream is.
pub(super) struct Looked {
    pub(super) last: Position,
    /// Redis' time, in milliseconds.
    pub(super) now: u64,
    /// It was made anew just now.
    pub(super) mended: bool,
}

pub(super) fn script() -> Script {
    Script::new(LOOK)
}

impl Shared {
    /// The most bytes that an entry of ours has: larger ones are skipped.
    pub(super) fn largest_entry(&self) -> usize {
        self.settings.max_event + 16 * 1024
    }

    /// Looks at a stream, which lives for so many milliseconds from now on (0: for ever), and mends it if need be. None: something
    /// else is in its place.
    pub(super) async fn look_at(&self, key: &str, lifetime: u64) -> Result<Option<Looked>, LinkError> {
        let arguments = [lifetime, AHEAD, self.largest_entry() as u64, COPIED].map(|number| number.to_string());
        let arguments = arguments.each_ref().map(|text| text.as_bytes());
        let looked: Option<(Vec<u8>, String, u8)> = self.link.invoke(&self.scripts.look, &[key], &arguments).await?;
        let Some((last, now, mended)) = looked else { return Ok(None) };
        let wrong = || LinkError::away(format!("{key} has an id that is none"));
        let last = Position::parse(&last).ok_or_else(wrong)?;
        let now = now.parse().map_err(|_| LinkError::away("Redis tells no time"))?;
        let mended = mended == 1;
        if mended {
            self.metrics.redis_mended.count();
            if self.may_complain() {
                tracing::error!("redis: the ids of {key} were in the future; it was made anew");
            }
        }
        Ok(Some(Looked { last, now, mended }))
    }
}
