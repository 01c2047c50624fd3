import AudioFeatures
import AuricleBase

/// Sequences in files, each with a name: features of sound or anything else, of Auricle or of another program.
///
///     let stored = try StoredFeatures(at: "features.npz")
///     stored.names                              // ["seven", "eight"]
///     try stored.features(of: "seven")          // 51 x 39
///
/// What is understood, by the ending of its name:
/// - `.npz`: an array for each sequence, or arrays of sequences x frames x coefficients, whose sequences are named
///   `NAME[0]`, `NAME[1]` and so on; `.npy` the same for one array;
/// - `.ark`, `.scp`: Kaldi's archives of matrices, and scripts that say where matrices are;
/// - `.htk`, `.csv`: one sequence.
///
/// Sequences are read when they are asked for, by any number of threads, but for those of an array of three dimensions,
/// which is held in memory.
public struct StoredFeatures: Sendable {
  private enum Place {
    case file(String)
    case matrix(FeatureMatrix)
    case kaldi(KaldiReader.Entry)
    case zip(ZipReader, ZipReader.Entry)
    case slice(NumpyArray, Int)
  }

  /// A label that an archive itself gives a sequence, and the part of the work that it is for: "train", "val" or "test".
  public struct OwnLabel: Hashable, Sendable {
    public var label: String
    public var part: String
  }

  public let path: String
  /// In the order of the file.
  public private(set) var names: [String] = []
  /// Of each sequence, where the archive holds arrays `X_train` and `y_train`, and maybe `X_val`, `y_val` and `X_test`,
  /// `y_test` (in any case of letters), as examples of Keras write them: y holds whole numbers, texts, or rows of zeros
  /// with a one.
  public private(set) var ownLabels: [OwnLabel]?
  private var places: [Place] = []
  private var indices: [String: Int] = [:]

  /// The endings of files that hold sequences.
  public static let endings: Set<String> = ["npz", "npy", "ark", "scp", "htk", "csv"]

  /// Throws `FileError`, and `FeatureFileError.unusable` for a file that does not hold sequences.
  public init(at path: String) throws {
    self.path = path
    do {
      switch FeatureFileFormat(endingOf: path) {
      case .npz: try addZip()
      case .npy: try add(NumpyArray(FileAccess.read(path)), named: StoredFeatures.name(of: path))
      case .ark: add(try KaldiReader(archive: path))
      case .htk, .csv: add(.file(path), named: StoredFeatures.name(of: path))
      case nil where path.lowercased().hasSuffix(".scp"): add(try KaldiReader(script: path))
      case nil: throw NumpyArray.Unusable(reason: "its name must end in .npz, .npy, .ark, .scp, .htk or .csv")
      }
    } catch let error as NumpyArray.Unusable {
      throw FeatureFileError.unusable(path: path, reason: error.reason)
    }
    guard !names.isEmpty else { throw FeatureFileError.unusable(path: path, reason: "it is empty") }
  }

  /// One sequence in each of `files`, with a name each. Names must differ; of a repeated one the first counts.
  public init(files: [(name: String, path: String)], of folder: String) {
    path = folder
    for (name, path) in files where indices[name] == nil { add(.file(path), named: name) }
  }

  public func contains(_ name: String) -> Bool { indices[name] != nil }

  /// The sequence of this name: frames x coefficients, at least one frame, all finite.
  ///
  /// Throws `FileError`, and `FeatureFileError.unusable`, also where there is none of this name.
  public func features(of name: String) throws -> FeatureMatrix {
    guard let index = indices[name] else {
      throw FeatureFileError.unusable(path: path, reason: "it holds no '\(name)'")
    }
    func refuse(_ reason: String) -> FeatureFileError {
      if case .file(let path) = places[index] { return .unusable(path: path, reason: reason) }
      return .unusable(path: path, reason: "'\(name)' in it cannot be used: \(reason)")
    }
    do {
      let features =
        switch places[index] {
        case .file(let path): try FeatureMatrix(contentsOf: path)
        case .matrix(let matrix): matrix
        case .kaldi(let entry): try entry.matrix()
        case .zip(let reader, let entry): try FeatureMatrix(NumpyArray(reader.bytes(of: entry)))
        case .slice(let array, let sequence): try StoredFeatures.sequence(sequence, of: array)
        }
      guard features.frames > 0 else { throw refuse("it has no frame") }
      if let odd = features.values.firstIndex(where: { !$0.isFinite }) {
        let (frame, coefficient) = odd.quotientAndRemainder(dividingBy: features.coefficients)
        throw refuse("coefficient \(coefficient) of frame \(frame) is not a finite number")
      }
      return features
    } catch let error as NumpyArray.Unusable {
      throw refuse(error.reason)
    }
  }

  // MARK: What files hold

  private mutating func add(_ place: Place, named name: String) {
    indices[name] = names.count
    names.append(name)
    places.append(place)
  }

  private mutating func add(_ reader: KaldiReader) {
    for entry in reader.entries { add(.kaldi(entry), named: entry.name) }
  }

  /// One sequence, or the sequences of an array of three dimensions.
  private mutating func add(_ array: NumpyArray, named name: String) throws {
    guard array.shape.count == 3 else {
      do {
        return add(.matrix(try FeatureMatrix(array)), named: name)
      } catch let error as NumpyArray.Unusable {
        throw NumpyArray.Unusable(reason: error.reason + ", or sequences x frames x coefficients")
      }
    }
    // No numbers make any number of sequences.
    guard array.header.count > 0 else {
      throw NumpyArray.Unusable(reason: "'\(name)' is \(NumpyArray.text(array.shape)), without a number")
    }
    for index in 0..<array.shape[0] { add(.slice(array, index), named: "\(name)[\(index)]") }
  }

  private static func sequence(_ index: Int, of array: NumpyArray) throws(NumpyArray.Unusable) -> FeatureMatrix {
    let size = array.shape[1] * array.shape[2]
    guard let values = array.floats(index * size..<(index + 1) * size) else {
      throw NumpyArray.Unusable(reason: "it holds texts, not numbers")
    }
    return try FeatureMatrix(checking: array.shape[1], array.shape[2], values)
  }

  private mutating func addZip() throws {
    let reader = try ZipReader(path: path)
    let entries = reader.entries.filter { $0.name.hasSuffix(".npy") }
    func array(_ entry: ZipReader.Entry) throws -> NumpyArray {
      do {
        return try NumpyArray(reader.bytes(of: entry))
      } catch let error as NumpyArray.Unusable {
        throw NumpyArray.Unusable(reason: "'\(entry.name.dropLast(4))' in it cannot be used: \(error.reason)")
      }
    }
    func find(_ name: String) -> ZipReader.Entry? { entries.first { $0.name.lowercased() == "\(name).npy" } }
    guard find("x_train") != nil, find("y_train") != nil else {
      for entry in entries {
        let name = String(entry.name.dropLast(4))
        // Only the header tells a sequence from an array of them; most often there are many arrays, each a sequence.
        if entries.count > StoredFeatures.mostArrays {
          add(.zip(reader, entry), named: name)
        } else {
          let array = try array(entry)
          if array.shape.count == 3 { try add(array, named: name) } else { add(.zip(reader, entry), named: name) }
        }
      }
      return
    }
    ownLabels = []
    for (part, names) in [("train", ["train"]), ("val", ["val", "valid", "validation"]), ("test", ["test"])] {
      for name in names {
        guard let x = find("x_\(name)") else { continue }
        guard let y = find("y_\(name)") else {
          throw NumpyArray.Unusable(reason: "it holds '\(x.name.dropLast(4))' without its y_\(name)")
        }
        let (sequences, labels) = (try array(x), try StoredFeatures.labels(array(y), name: String(y.name.dropLast(4))))
        guard sequences.shape.count == 3 else {
          throw NumpyArray.Unusable(
            reason: "'\(x.name.dropLast(4))' in it is \(NumpyArray.text(sequences.shape)); wanted sequences x frames x "
              + "coefficients (of single numbers: X.reshape(*X.shape, 1))")
        }
        guard labels.count == sequences.shape[0] else {
          throw NumpyArray.Unusable(
            reason: "it holds \(sequences.shape[0]) sequences in '\(x.name.dropLast(4))' and \(labels.count) labels in "
              + "'\(y.name.dropLast(4))'")
        }
        try add(sequences, named: String(x.name.dropLast(4)))
        ownLabels? += labels.map { OwnLabel(label: $0, part: part) }
      }
    }
  }

  /// An archive of more arrays than this holds a sequence in each.
  private static let mostArrays = 64

  /// Whole numbers, texts, or rows of zeros with a one.
  private static func labels(_ array: NumpyArray, name: String) throws(NumpyArray.Unusable) -> [String] {
    // Keras's data sets have columns of labels, too.
    if array.shape.count == 1 || array.shape.count == 2 && array.shape[1] == 1 {
      if let texts = array.texts { return texts }
      if let integers = array.integers { return integers.map { "\($0)" } }
    }
    if array.shape.count == 2, array.shape[1] > 1, let numbers = array.integers {
      let width = array.shape[1]
      let labels = (0..<array.shape[0]).map { row -> Int? in
        let row = numbers[row * width..<(row + 1) * width]
        guard row.allSatisfy({ $0 == 0 || $0 == 1 }), row.count(where: { $0 == 1 }) == 1 else { return nil }
        return row.firstIndex(of: 1).map { $0 - row.startIndex }
      }
      if !labels.contains(nil) { return labels.compactMap { $0.map { "\($0)" } } }
    }
    throw NumpyArray.Unusable(
      reason:
        "'\(name)' in it, \(NumpyArray.text(array.shape)), does not hold one class for each sequence: whole numbers, "
        + "texts, or rows of zeros with a one")
  }

  /// A file's name without folder and ending.
  private static func name(of path: String) -> String {
    let name = path.split(separator: "/").last.map { String($0) } ?? path
    return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
