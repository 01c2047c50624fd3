import AuricleBase

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sound from a pipe as it comes: mono samples as soon as their bytes are there, for days, in bounded memory.
///
///     let input = try LiveInput(raw: RawFormat("s16le:16000:1"))      // arecord -f S16_LE -r 16000 -t raw | ...
///     var block: [Float] = []
///     while try input.next(into: &block) {
///       use(block, input.format.sampleRate)
///       block.removeAll(keepingCapacity: true)
///     }
///
/// The samples are PCM, floats, A-law or mu-law, bare or in a WAV (RIFF, RIFX, RF64) whose header comes first. A WAV ends
/// where its header says; but sizes of 0, and of 2 GiB (less 64 KiB) and more, are those of a program that could not know
/// how long it would record: everything that comes is then sound. They are the samples that `AudioFile` gives of the same
/// bytes in a file.
///
/// Not `Sendable`.
public final class LiveInput {
  public let path: String
  /// How the samples are stored.
  public let format: RawFormat

  private let channel: ChannelSelection
  private let descriptor: Int32
  private let stop: () -> Bool
  private var bytes: [UInt8] = []
  private var block = [UInt8](repeating: 0, count: 65_536)
  /// Bytes of samples that are still to come; `Int.max` where nobody knows.
  private var left: Int
  /// Of each channel, that have been given.
  private var position = 0

  /// A header's size from which on it is not believed.
  fileprivate static let endlessSize = 0x7FFF_0000

  /// Reads standard input for `-`, or the pipe or device at `path`; waits for the header unless `raw` says how the samples
  /// are stored. When `stop` says so, waiting ends.
  ///
  /// Throws `AudioError` for what cannot be opened, is neither WAV nor described by `raw`, is of an encoding that is not
  /// read, or lacks the `channel`; `CancellationError` where `stop` came before the header.
  public init(
    path: String = "-", raw: RawFormat? = nil, channel: ChannelSelection = .mix,
    until stop: @escaping () -> Bool = { false }
  ) throws {
    descriptor = path == "-" ? 0 : path.withSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? AudioError.missing(path: path) : AudioError.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    var header = Header(path: path, descriptor: descriptor, stop: stop)
    do {
      (format, left) = try raw.map { ($0, .max) } ?? header.wav()
    } catch {
      if descriptor > 0 { close(descriptor) }
      throw error
    }
    self.path = path
    self.channel = channel
    self.stop = stop
    if case .channel(let number) = channel, !(1...format.channels).contains(number) {
      throw AudioError.noSuchChannel(path: path, channel: number, channels: format.channels)
    }
  }

  deinit {
    if descriptor > 0 { close(descriptor) }
  }

  /// Waits for sound and appends what is there, at `format.sampleRate`; false at its end, and when `stop` said so.
  ///
  /// Throws `AudioError.noSamples` where there was none at all, `unreadable`, and `invalidSample` as `AudioFile.read` does.
  public func next(into samples: inout [Float]) throws(AudioError) -> Bool {
    let frameBytes = format.channels * format.bytesPerSample
    while true {
      let whole = min(bytes.count, left) / frameBytes * frameBytes
      if whole > 0 {
        try decode(whole, into: &samples)
        bytes.removeFirst(whole)
        if left < .max { left -= whole }
        return true
      }
      guard left >= frameBytes, let count = try read() else { return false }
      guard count > 0 else {
        if position == 0 { throw bytes.isEmpty ? .noSamples(path: path) : .damaged(path: path, container: "raw sound") }
        return false
      }
      bytes += block[..<count]
    }
  }

  /// To `block`; 0 at the end, nil when `stop` said so.
  private func read() throws(AudioError) -> Int? {
    try readSome(descriptor, &block, path: path, stop: stop)
  }

  private func decode(_ count: Int, into samples: inout [Float]) throws(AudioError) {
    let channels = format.channels
    let frames = count / (channels * format.bytesPerSample)
    var values: [Float] = []
    values.reserveCapacity(frames * channels)
    bytes.withUnsafeBytes { format.decode(UnsafeRawBufferPointer(rebasing: $0[..<count]), into: &values) }
    for frame in 0..<frames {
      let value: Float
      switch channel {
      case .channel(let number): value = values[frame * channels + number - 1]
      case .mix where channels == 1: value = values[frame]
      case .mix: value = values[frame * channels..<(frame + 1) * channels].reduce(0, +) / Float(channels)
      }
      guard value.magnitude <= AudioFile.largestMagnitude else {
        throw .invalidSample(
          path: path, seconds: Double(position + frame) / Double(format.sampleRate), value: "\(value)")
      }
      samples.append(value)
    }
    position += frames
  }
}

/// Waits until there is something to read or the end has come; nil when `stop` said so.
private func readSome(
  _ descriptor: Int32, _ block: inout [UInt8], path: String, stop: () -> Bool
) throws(AudioError) -> Int? {
  while !stop() {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let ready = poll(&waiting, 1, 100)  // milliseconds, after which `stop` is asked again
    if ready == 0 || (ready < 0 && errno == EINTR) { continue }
    let count = read(descriptor, &block, block.count)
    if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
    guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
    return count
  }
  return nil
}

/// Reads a WAV header up to its samples.
private struct Header {
  let path: String
  let descriptor: Int32
  let stop: () -> Bool

  /// So many bytes, or fewer at the end; read to the byte, because samples follow.
  private func take(_ count: Int) throws -> [UInt8] {
    var taken: [UInt8] = []
    while taken.count < count {
      var block = [UInt8](repeating: 0, count: min(count - taken.count, 65_536))
      guard let length = try readSome(descriptor, &block, path: path, stop: stop) else { throw CancellationError() }
      if length == 0 { break }
      taken += block[..<length]
    }
    return taken
  }

  mutating func wav() throws -> (RawFormat, left: Int) {
    let start = try take(12)
    guard !start.isEmpty else { throw AudioError.emptyFile(path: path) }
    let isBigEndian = start.starts(with: "RIFX".utf8)
    let isWAV =
      isBigEndian || start.starts(with: "RIFF".utf8) || start.starts(with: "RF64".utf8)
    guard isWAV, start.dropFirst(8).elementsEqual("WAVE".utf8) else {
      throw try AudioError.notLive(start + take(500), path)
    }
    var format: RawFormat?
    while true {
      let head = try take(8)
      guard head.count == 8 else { throw AudioError.damaged(path: path, container: "WAV") }
      let size = WAVFormat.number(head[4...], isBigEndian: isBigEndian)
      if head.starts(with: "data".utf8) {
        guard let format else { throw AudioError.damaged(path: path, container: "WAV") }
        return (format, size == 0 || size >= LiveInput.endlessSize ? .max : size)
      }
      if head.starts(with: "fmt ".utf8) {
        guard size <= 1024 else { throw AudioError.damaged(path: path, container: "WAV") }
        format = try self.format(take(size + size % 2), isBigEndian: isBigEndian)
        continue
      }
      var rest = size + size % 2
      while rest > 0 {
        let count = try take(min(rest, 65_536)).count
        guard count > 0 else { throw AudioError.damaged(path: path, container: "WAV") }
        rest -= count
      }
    }
  }

  private func format(_ bytes: [UInt8], isBigEndian: Bool) throws(AudioError) -> RawFormat {
    guard bytes.count >= 16 else { throw .damaged(path: path, container: "WAV") }
    func number(_ offset: Int, _ count: Int) -> Int {
      WAVFormat.number(bytes[offset..<offset + count], isBigEndian: isBigEndian)
    }
    var tag = number(0, 2)
    if tag == 0xFFFE && bytes.count >= 26 { tag = number(24, 2) }
    let (channels, rate, frameBytes, bits) = (number(2, 2), number(4, 4), number(12, 2), number(14, 2))
    let encodings: [Int: (little: RawFormat.Encoding, big: RawFormat.Encoding)] =
      switch tag {
      case 1: [1: (.u8, .u8), 2: (.s16le, .s16be), 3: (.s24le, .s24be), 4: (.s32le, .s32be)]
      case 3: [4: (.f32le, .f32be), 8: (.f64le, .f64be)]
      case 6: [1: (.aLaw, .aLaw)]
      case 7: [1: (.muLaw, .muLaw)]
      default: [:]
      }
    guard let encoding = encodings[(bits + 7) / 8] else {
      throw .unsuitableForLive(path: path, what: "a WAV of encoding \(tag) with \(bits) bits")
    }
    guard frameBytes == 0 || frameBytes == channels * ((bits + 7) / 8) else {
      throw .contradiction(
        path: path, reason: "its header says \(channels) x \(bits) bits, and \(frameBytes) bytes for them")
    }
    guard AudioFile.sampleRates.contains(rate) else { throw .unsupportedSampleRate(path: path, sampleRate: rate) }
    guard let format = RawFormat(isBigEndian ? encoding.big : encoding.little, sampleRate: rate, channels: channels)
    else { throw .damaged(path: path, container: "WAV") }
    return format
  }
}

extension AudioError {
  /// Bytes that are not a WAV.
  fileprivate static func notLive(_ start: [UInt8], _ path: String) -> AudioError {
    switch FileSignature(start) {
    case .audio(let name), .media(let name), .other(let name): .unsuitableForLive(path: path, what: name)
    case .unknown: .unsuitableForLive(path: path, what: nil)
    }
  }
}

extension RawFormat {
  /// Appends whole samples as libsndfile scales them: integers to [-1, 1), floats as they are.
  fileprivate func decode(_ bytes: UnsafeRawBufferPointer, into values: inout [Float]) {
    func each(_ value: (Int) -> Float) {
      for offset in stride(from: 0, to: bytes.count, by: bytesPerSample) { values.append(value(offset)) }
    }
    func word(_ offset: Int) -> UInt16 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
    func long(_ offset: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    func double(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    func scaled(_ word: UInt16) -> Float { Float(Int16(bitPattern: word)) / 0x1p15 }
    func scaled(_ long: UInt32) -> Float { Float(Int32(bitPattern: long)) / 0x1p31 }
    func three(_ high: UInt8, _ middle: UInt8, _ low: UInt8) -> Float {
      scaled(UInt32(high) << 24 | UInt32(middle) << 16 | UInt32(low) << 8)
    }
    switch encoding {
    case .s8: each { Float(Int8(bitPattern: bytes[$0])) / 128 }
    case .u8: each { (Float(bytes[$0]) - 128) / 128 }
    case .s16le: each { scaled(UInt16(littleEndian: word($0))) }
    case .s16be: each { scaled(UInt16(bigEndian: word($0))) }
    case .s24le: each { three(bytes[$0 + 2], bytes[$0 + 1], bytes[$0]) }
    case .s24be: each { three(bytes[$0], bytes[$0 + 1], bytes[$0 + 2]) }
    case .s32le: each { scaled(UInt32(littleEndian: long($0))) }
    case .s32be: each { scaled(UInt32(bigEndian: long($0))) }
    case .f32le: each { Float(bitPattern: UInt32(littleEndian: long($0))) }
    case .f32be: each { Float(bitPattern: UInt32(bigEndian: long($0))) }
    case .f64le: each { Float(Double(bitPattern: UInt64(littleEndian: double($0)))) }
    case .f64be: each { Float(Double(bitPattern: UInt64(bigEndian: double($0)))) }
    case .aLaw: each { Float(Self.aLaw(bytes[$0])) / 0x1p15 }
    case .muLaw: each { Float(Self.muLaw(bytes[$0])) / 0x1p15 }
    }
  }

  /// ITU-T G.711, as 16-bit integers.
  private static func aLaw(_ byte: UInt8) -> Int {
    let code = Int(byte ^ 0x55)
    let (segment, step) = (code >> 4 & 7, (code & 15) << 4)
    let magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
    return code & 0x80 != 0 ? magnitude : -magnitude
  }

  private static func muLaw(_ byte: UInt8) -> Int {
    let code = Int(~byte)
    let magnitude = ((((code & 15) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return code & 0x80 != 0 ? -magnitude : magnitude
  }
}
