/// What follows the last dot, in lower case.
package func ending(of path: String) -> String {
  path.lastIndex(of: ".").map { path[path.index(after: $0)...].lowercased() } ?? ""
}

/// What a file is in; "." for a mere name.
package func folder(of path: String) -> String {
  path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
}
