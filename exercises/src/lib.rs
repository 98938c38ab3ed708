//! Empty: the exercises are the files beside this folder, and their judges are in `tests/`.
