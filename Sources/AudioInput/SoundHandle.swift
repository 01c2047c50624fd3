import CSndfile

/// Sole owner of one open libsndfile handle and of the bytes it reads.
///
/// libsndfile gets its bytes by callback, and never a file's name or descriptor: given a name that ends in .au, .snd,
/// .vox or .gsm it takes a file without a header for raw samples, so that a text file called one.au would be "decoded";
/// and a descriptor it refuses it may close, though told not to.
struct SoundHandle: ~Copyable {
  let sound: OpaquePointer
  let info: SF_INFO
  private let view: ByteView

  /// Nil when libsndfile does not open the bytes of `section`.
  init?(_ section: SoundSection) {
    let view = section.view
    view.rewind()
    var info = section.raw?.soundInfo ?? SF_INFO()
    var calls = ByteView.calls
    guard let sound = sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(view).toOpaque())
    else { return nil }
    self.view = view
    self.sound = sound
    self.info = info
  }

  /// Whether `sf_seek` leads to the very samples that reading from the front gives: where each frame, or block of
  /// frames, is decoded by itself.
  var seeksExactly: Bool {
    switch Int(info.format) & SF_FORMAT_TYPEMASK {
    case SF_FORMAT_MPEG, SF_FORMAT_OGG: return false
    case SF_FORMAT_FLAC: return true
    default: break
    }
    switch Int(info.format) & SF_FORMAT_SUBMASK {
    case SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,
      SF_FORMAT_DOUBLE, SF_FORMAT_ULAW, SF_FORMAT_ALAW:
      return true
    default: return false
    }
  }

  /// The sentence for what went wrong in the last call, if anything did.
  var failure: String? {
    if let reason = view.source.failure { return reason }
    guard sf_error(sound) != 0, let text = sf_strerror(sound) else { return nil }
    // "Error : flac decoder lost sync." without its frills.
    var sentence = String(cString: text)[...]
    if sentence.hasPrefix("Error : ") { sentence = sentence.dropFirst(8) }
    while let last = sentence.last, last == "." || last.isWhitespace { sentence.removeLast() }
    return String(sentence)
  }

  deinit {
    sf_close(sound)
  }
}
