/// A time as whole microseconds, so that an end is the start and the duration however they are written.
func microseconds(_ seconds: Double) -> Int {
  Int((seconds * 1e6).rounded())
}

/// "1.500000"
func decimals(microseconds: Int) -> String {
  let digits = String(microseconds)
  let padded = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
  return padded.dropLast(6) + "." + padded.suffix(6)
}

/// "1.500000"; `seconds` is at least 0.
func decimals(_ seconds: Double) -> String {
  decimals(microseconds: microseconds(seconds))
}

/// A frequency or another number as it is read most easily: "8000" and not "8000.0".
func plain(_ value: Double) -> String {
  Int(exactly: value).map(String.init) ?? value.description
}
