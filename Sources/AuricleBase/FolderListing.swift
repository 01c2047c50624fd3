import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension FileAccess {
  /// The names in the folder at `path`, in no order, `.` and `..` left out. They are bytes to the system, and need not be
  /// UTF-8: `path.appending(name)` leads to each.
  ///
  /// Throws `FileError.unreadable`.
  public static func names(in path: FilePath) throws(FileError) -> [FilePath.Component] {
    guard let stream = path.withPlatformString(opendir) else {
      throw .unreadable(path: path.string, reason: systemReason())
    }
    defer { closedir(stream) }
    var names: [FilePath.Component] = []
    errno = 0
    while let entry = readdir(stream) {
      withUnsafePointer(to: &entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) { name in
          if let name = FilePath.Component(platformString: name), name.kind == .regular { names.append(name) }
        }
      }
      errno = 0
    }
    guard errno == 0 else { throw .unreadable(path: path.string, reason: systemReason()) }
    return names
  }

  /// What stands at `path`, links followed; a link to nothing is of the kind `symbolicLink`. Nil when nothing does.
  public static func status(of path: FilePath) -> Stat? {
    (try? Stat(path)) ?? (try? Stat(path, followTargetSymlink: false))
  }
}

extension FilePath {
  /// The path as text that leads back to it: bytes that are not UTF-8 are written `\xE9`, and a backslash before `x` is
  /// written `\x5C`, so that two paths never look alike.
  ///
  ///     FilePath(escaped: #"recordings/caf\xE9.wav"#)     // the name in Latin-1
  public var escaped: String {
    var text = ""
    var bytes = withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }[...]
    while let byte = bytes.first {
      let isEscape = byte == UInt8(ascii: "\\") && bytes.dropFirst().first == UInt8(ascii: "x")
      let length = isEscape ? nil : (1...4).first { String(validating: bytes.prefix($0), as: UTF8.self) != nil }
      if let length, length <= bytes.count {
        text += String(decoding: bytes.prefix(length), as: UTF8.self)
        bytes = bytes.dropFirst(length)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        text += "\\x" + (digits.count < 2 ? "0" : "") + digits
        bytes = bytes.dropFirst()
      }
    }
    return text
  }

  /// The path that `escaped` gives as text; text without escapes is the path itself.
  public init(escaped text: String) {
    guard text.utf8.contains(UInt8(ascii: "\\")) else {
      self.init(text)
      return
    }
    var bytes: [CChar] = []
    var rest = Substring(text).utf8
    while let byte = rest.first {
      let digits = rest.dropFirst(2).prefix(2)
      if byte == UInt8(ascii: "\\"), rest.dropFirst().first == UInt8(ascii: "x"), digits.count == 2,
        digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
        let value = UInt8(Substring(digits), radix: 16), value != 0
      {
        bytes.append(CChar(bitPattern: value))
        rest = rest.dropFirst(4)
      } else {
        bytes.append(CChar(bitPattern: byte))
        rest = rest.dropFirst()
      }
    }
    self.init(platformString: bytes + [0])
  }
}

extension FilePath.Component {
  /// See `FilePath.escaped`.
  package var escaped: String { FilePath(root: nil, [self]).escaped }
}

// Paths go through the program as text in this form, and are bytes again where the system takes them.
extension String {
  /// The text for a path as the C library gives it, which must end with a zero.
  package init(systemPath: UnsafePointer<CChar>) { self = FilePath(platformString: systemPath).escaped }

  /// The path that this text stands for; see `FilePath.escaped`.
  package var filePath: FilePath { FilePath(escaped: self) }

  /// Hands the path that this text stands for to `body`, as the C library takes it.
  package func withSystemPath<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try filePath.withPlatformString(body)
  }
}
