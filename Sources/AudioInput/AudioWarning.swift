/// What a person should know of a sound that was read all the same.
public enum AudioWarning: Hashable, Sendable, CustomStringConvertible {
  /// Bytes after what the header calls samples that are nothing else either, as of a recording whose header was not
  /// brought up to date. They were read as samples.
  case bytesAfterSamples(path: String, count: Int)
  /// Bytes amid the sound or at its ends that are neither sound nor a known tag. They were left out.
  case skippedBytes(path: String, count: Int, seconds: Double)
  /// The sound is not that of which the file holds a checksum: damaged, or changed by a program that left it as it was.
  case wrongChecksum(path: String)
  /// An external decoder gave sound, and this complaint.
  case complaint(path: String, decoder: String, text: String)
  /// The mean of the channels is near silence, and they are not.
  case cancellingChannels(path: String)

  public var description: String {
    switch self {
    case .bytesAfterSamples(let path, let count):
      "\(AudioError.name(path)): its header leaves out \(count) bytes at the end, which were read as samples"
    case .skippedBytes(let path, let count, let seconds):
      "\(AudioError.name(path)): \(count) bytes at \(AudioError.rounded(seconds)) s are not sound and were left out; the file may be damaged"
    case .wrongChecksum(let path):
      "\(AudioError.name(path)): its sound does not have the checksum that it should; it is damaged, or was edited"
    case .complaint(let path, let decoder, let text):
      "\(AudioError.name(path)): \(decoder) says: \(text); the file may be damaged, and sound be missing"
    case .cancellingChannels(let path):
      "\(AudioError.name(path)): its channels cancel each other, and their mean is near silence; choose one channel"
    }
  }
}
