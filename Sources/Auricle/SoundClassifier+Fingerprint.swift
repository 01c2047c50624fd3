extension SoundClassifier {
  /// Of the model and the channel; see `ClassifierEnsemble.fingerprint(listeningTo:)`.
  public func fingerprint() throws(ModelError) -> String { try model.fingerprint(listeningTo: "\(channel)") }
}

extension ClassifierEnsemble {
  /// 16 hexadecimal digits that are the same exactly for the same model listening to the same channel, or taking sequences
  /// (as good as: a 64-bit FNV-1a hash of the model file and of `what` it takes).
  public func fingerprint(listeningTo what: String) throws(ModelError) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    add(try fileBytes())
    add(what.utf8)
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
