import AudioFeatures
import AuricleBase

/// Features of many sounds, computed once: in memory up to a limit, in a temporary file beyond it; where there is no room for
/// one, in memory after all.
///
///     var cache = FeatureCache(memoryLimit: 1 << 30)
///     for sound in sounds { try cache.append(extractor.features(of: sound)) }
///     try cache.features(at: 7)
///
/// Filled by one thread, then read by any number. The file is gone as soon as nobody uses the cache, or the program ends
/// in any way.
public struct FeatureCache: Sendable {
  private enum Place {
    case memory(FeatureMatrix)
    case file(offset: Int, frames: Int, coefficients: Int)
  }

  /// Bytes of features that are kept in memory at most, and where there is no room on the disk.
  public let memoryLimit: Int
  private static let memoryWithoutDisk = 1 << 30
  public private(set) var bytesInMemory = 0
  public private(set) var bytesOnDisk = 0
  private var places: [Place] = []
  private var file: ScratchFile?

  public init(memoryLimit: Int) {
    self.memoryLimit = memoryLimit
  }

  public var count: Int { places.count }

  /// Throws `FileError` when there is no room on the disk, and 1 GiB is in memory.
  public mutating func append(_ features: FeatureMatrix) throws(FileError) {
    let size = features.values.count * MemoryLayout<Float>.size
    if size > memoryLimit - bytesInMemory {
      do {
        try write(features)
        places.append(.file(offset: bytesOnDisk, frames: features.frames, coefficients: features.coefficients))
        bytesOnDisk += size
        return
      } catch {
        guard size <= Self.memoryWithoutDisk - bytesInMemory else { throw error }
      }
    }
    bytesInMemory += size
    places.append(.memory(features))
  }

  private mutating func write(_ features: FeatureMatrix) throws(FileError) {
    let file = if let file { file } else { try ScratchFile() }
    self.file = file
    let (offset, values) = (bytesOnDisk, features.values)
    let outcome = values.withUnsafeBytes { bytes in
      Result { () throws(FileError) in try file.write(bytes, at: offset) }
    }
    try outcome.get()
  }

  public func frames(at index: Int) -> Int {
    switch places[index] {
    case .memory(let features): features.frames
    case .file(_, let frames, _): frames
    }
  }

  /// Throws `FileError` when the temporary file cannot be read.
  public func features(at index: Int) throws -> FeatureMatrix {
    switch places[index] {
    case .memory(let features): return features
    case .file(let offset, let frames, let coefficients):
      let count = frames * coefficients
      let values = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        try file?.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        initialized = count
      }
      return FeatureMatrix(coefficients: coefficients, values: values)
    }
  }
}
