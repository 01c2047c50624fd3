#if canImport(Glibc)
  import Glibc

  /// Stands in for libmpg123's own function of this name, which libsndfile calls for every MP3 file, so that the decoder
  /// writes nothing to standard error: neither libsndfile nor the environment has a switch for it. A program's own
  /// functions come before a library's where the linker of ELF systems looks for names; elsewhere this changes nothing,
  /// and is left out.
  @_spi(QuietDecoder)
  @_cdecl("mpg123_new")
  public func newQuietDecoder(
    _ name: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<Int32>?
  ) -> OpaquePointer? {
    typealias New = @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<Int32>?) -> OpaquePointer?
    typealias SetParameter = @convention(c) (OpaquePointer?, Int32, Int, Double) -> Int32
    // RTLD_NEXT, a macro that Swift does not see.
    let next = UnsafeMutableRawPointer(bitPattern: -1)
    guard let new = dlsym(next, "mpg123_new"), let set = dlsym(next, "mpg123_param") else { return nil }
    let decoder = unsafeBitCast(new, to: New.self)(name, error)
    // MPG123_ADD_FLAGS, MPG123_QUIET.
    if decoder != nil { _ = unsafeBitCast(set, to: SetParameter.self)(decoder, 2, 0x20, 0) }
    return decoder
  }
#endif
