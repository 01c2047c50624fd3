import AuricleBase
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A program that decodes what libsndfile refuses, where one is asked for.
///
///     let span = SoundSpan("voice.m4a", fallback: .ffmpeg)
///
/// It is started without a shell, with an environment that holds no more than it needs to be found and to run, hears of
/// no other file and no network, and is given `longestSeconds` and `mostBytes`. What it writes goes to a temporary file
/// without a name. All channels come at their own rate; of several streams of sound, the first.
public enum ExternalDecoder: String, Hashable, Sendable, Codable {
  /// https://ffmpeg.org, 4.4 or later, as the search path has it.
  case ffmpeg

  /// By the clock; then it is stopped, and the file is an error.
  public static let longestSeconds = 600
  /// Of decoded sound, as 32-bit floats: 93 minutes of stereo at 48 kHz.
  public static let mostBytes = 1 << 31

  /// Containers of sound and film that hold all of their sound themselves. Playlists and lists of files name others.
  private static let formats = [
    "mov", "matroska", "asf", "avi", "flv", "mpeg", "mpegts", "rm", "mxf", "nut", "xwma", "wav", "w64", "aiff", "caf",
    "au", "ogg", "flac", "mp3", "nistsphere", "aac", "loas", "latm", "ac3", "eac3", "ac4", "dts", "dtshd", "truehd",
    "mlp", "amr", "amrnb", "amrwb", "ape", "wv", "tta", "tak", "mpc", "mpc8", "dsf", "iff", "shn", "gsm", "g722",
    "g726",
    "g726le", "g729", "qcp", "oma", "aa", "aax", "voc", "ircam", "sox", "wve", "xa", "adx", "aptx", "sbc", "dss", "ea",
    "bink", "smjpeg", "vqf", "loas", "wsd", "pvf", "dhav", "avr", "svx", "hca",
  ].joined(separator: ",")

  /// The sound of a file as WAV, and what the program complained of, if anything.
  ///
  /// Throws `AudioError.noExternalDecoder` where there is no such program, `externalDecoder` where it fails, and
  /// `unreadable` where no temporary file can be made.
  func decode(_ source: ByteSource, path: String) throws(AudioError) -> (sound: ByteSource, complaint: String?) {
    let (output, messages) = (try Self.scratch(path), try Self.scratch(path))
    var input: ScratchFile?
    // A name in escapes is another one to it.
    if path == "-" || FileAccess.size(of: path) == nil || path.filePath.string != path {
      let copy = try Self.scratch(path)
      try Self.copy(source, to: copy, path)
      input = copy
    }
    let file = input == nil ? "file:\(path)" : "file:/dev/stdin"
    let process = try Self.start(
      [
        rawValue, "-nostdin", "-hide_banner", "-v", "error", "-threads", "1", "-protocol_whitelist", "file",
        "-format_whitelist", Self.formats, "-i", file, "-map", "0:a:0", "-threads", "1", "-c:a", "pcm_f32le",
        "-bitexact", "-f", "wav", "pipe:1",
      ], input?.descriptor, output.descriptor, messages.descriptor, path)
    let status = try Self.wait(for: process, output, path)
    let complaint = Self.firstLine(of: messages)
    // The header of a WAV alone is no sound.
    guard status == 0, output.byteCount > 64 else {
      throw .externalDecoder(
        path: path, name: rawValue,
        reason: status > 128 ? "it was ended by signal \(status - 128)" : complaint ?? "it gave no sound")
    }
    return (ByteSource(output), complaint)
  }

  /// The first line that it says of its version; nil where it is not installed.
  package var version: String? {
    guard let output = try? ScratchFile(),
      let process = try? Self.start([rawValue, "-version"], nil, output.descriptor, output.descriptor, rawValue),
      (try? Self.wait(for: process, output, rawValue)) == 0
    else { return nil }
    return Self.firstLine(of: output)
  }

  private static func scratch(_ path: String) throws(AudioError) -> ScratchFile {
    do { return try ScratchFile() } catch { throw .unreadable(path: path, reason: error.description) }
  }

  private static func copy(_ source: ByteSource, to file: ScratchFile, _ path: String) throws(AudioError) {
    for start in stride(from: 0, to: source.byteCount, by: 1 << 20) {
      let block = source.bytes(start..<min(start + 1 << 20, source.byteCount))
      do {
        try block.withUnsafeBytes { try file.write($0, at: start) }
      } catch {
        throw .unreadable(path: path, reason: "\(error)")
      }
    }
  }

  private static func start(
    _ arguments: [String], _ input: Int32?, _ output: Int32, _ messages: Int32, _ path: String
  ) throws(AudioError) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, messages, 2)
    // A group of its own: Ctrl-C is for Auricle, which finishes the files in flight.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let names: [String] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
    let variables: [String] = names.compactMap { (name: String) -> String? in
      guard let value = getenv(name) else { return nil }
      return "\(name)=\(String(cString: value))"
    }
    var (words, environment) = (cStrings(arguments), cStrings(variables))
    defer { for text in words + environment { free(text) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, arguments[0], &actions, &attributes, &words, &environment)
    guard code == 0 else {
      throw code == ENOENT
        ? .noExternalDecoder(path: path, name: arguments[0])
        : .externalDecoder(path: path, name: arguments[0], reason: String(cString: strerror(code)))
    }
    return process
  }

  private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    var copies: [UnsafeMutablePointer<CChar>?] = texts.map { text in strdup(text) }
    copies.append(nil)
    return copies
  }

  /// The exit code, or 128 and the signal that ended it.
  private static func wait(for process: pid_t, _ output: ScratchFile, _ path: String) throws(AudioError) -> Int32 {
    let deadline = ContinuousClock.now + .seconds(longestSeconds)
    var status: Int32 = 0
    var pause: UInt32 = 500
    while true {
      let found = waitpid(process, &status, WNOHANG)
      if found == process { return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F }
      if found < 0 && errno != EINTR {
        throw .externalDecoder(path: path, name: ffmpeg.rawValue, reason: systemReason())
      }
      let isLong = ContinuousClock.now > deadline
      if isLong || output.byteCount > mostBytes {
        kill(process, SIGKILL)
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        throw .externalDecoder(
          path: path, name: ffmpeg.rawValue,
          reason: isLong
            ? "it was stopped after \(longestSeconds) seconds"
            : "it gave more than \(mostBytes) bytes of sound; cut the file into pieces")
      }
      usleep(pause)
      pause = min(2 * pause, 8_000)
    }
  }

  /// Without what it says of itself: "[mov,mp4,... @ 0x55d0] moov atom not found".
  private static func firstLine(of messages: ScratchFile) -> String? {
    let bytes = ByteSource(messages).bytes(0..<4096)
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.first.map { line in
      let text = line.hasPrefix("[") ? line.split(separator: "] ", maxSplits: 1).last ?? line : line
      return String(text.prefix(200))
    }
  }
}
