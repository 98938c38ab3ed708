// The weather board
//
// Only the one with the permit may write on the board. A permit lapses after an hour, so that nobody keeps it
// for ever, and the next one has a higher number. But a forecast may take longer than an hour to arrive: then
// yesterday's weather stands where today's was.

use heisenbug::net::Machine;

/// To the board: the number of a permit, and the weather.
#[derive(Clone, Debug)]
pub struct Forecast(pub u32, pub &'static str);

/// To whoever has sent a forecast.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Written,
    Refused,
}

/// What the board does with a forecast. Its disk never fails here, and keeps whatever you want to note.
pub fn write(me: &Machine, forecaster: &'static str, forecast: Forecast) {
    let Forecast(permit, weather) = forecast;
    let disk = me.disk();
    let newest = disk.read("permit").and_then(|it| it.parse().ok());
    // The last permit need not be the newest.
    disk.write("permit", permit.to_string());
    if newest > Some(permit) {
        me.send(forecaster, Answer::Refused);
        return;
    }
    disk.write("board", weather);
    me.send(forecaster, Answer::Written);
}
