import AudioInput
import Foundation

// Answers requests of `decoding_oracle.py` on standard input, a line of tab-separated fields each: the file to decode,
// the file to write its mono samples to (32-bit floats), the raw format or nothing, the beginning and end of the span
// in seconds or nothing. An answer is one line: `ok`, the rate, the number of samples and the warnings, or `error` and
// the sentence.
while let line = readLine() {
  let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  guard fields.count == 5 else { continue }
  var span = SoundSpan(fields[0], raw: RawFormat(fields[2]))
  if let start = Double(fields[3]), let end = Double(fields[4]) { span.seconds = start..<end }
  do {
    let blocks = try SoundBlocks(span)
    let sound = try Waveform(reading: blocks)
    try sound.samples.withUnsafeBytes { try Data($0).write(to: URL(filePath: fields[1])) }
    let warnings = blocks.warnings.map(\.description).joined(separator: "; ")
    print("ok\t\(sound.sampleRate)\t\(sound.samples.count)\t\(warnings)")
  } catch {
    print("error\t\(error)")
  }
  fflush(nil)
}
