import AuricleBase

extension CommandLine {
  /// The arguments, after the program's name, as text that paths lead back from: bytes that are not UTF-8 are written
  /// `\xE9`, as in all that Auricle prints, where `CommandLine.arguments` has lost them.
  ///
  /// A backslash before `x` and two digits stays in an argument that is text, so that a name can be given as it was
  /// printed, unless a file of this very name is there.
  static var words: [String] {
    (1..<max(1, Int(argc))).compactMap { index in
      guard let argument = unsafeArgv[index] else { return nil }
      let escaped = String(systemPath: argument)
      guard let text = String(validatingCString: argument), text != escaped else { return escaped }
      return FileAccess.exists(escaped) ? escaped : text
    }
  }
}
