/// What is to be read as a data set, and how.
struct Request {
  var path: String
  var pattern: LabelPattern?
  /// The folder that no path of a table may lead out of.
  var root: String?
  var options = TableOptions()
  var extensions = AudioFiles.extensions

  /// The same for another path.
  func at(_ path: String) -> Request {
    var request = self
    request.path = path
    return request
  }

  /// What stands at `name` in the folder; nil when nothing does.
  func kind(of name: String) -> FileKind? { FileKind(join(path, name)) }

  func hasFile(_ name: String) -> Bool { if case .file = kind(of: name) { true } else { false } }
  func hasFolder(_ name: String) -> Bool { if case .folder = kind(of: name) { true } else { false } }
}
