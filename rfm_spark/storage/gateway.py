"""The gateway to the JVM: the only module that uses it.

For what no public API of Spark does: a single file of any file system that Hadoop knows, footers
and first lines of files, which jar a class comes from, and the Thrift server. Over Spark Connect
there is no gateway; each use then ends in a UserError that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from py4j.java_gateway import JavaClass
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from rfm_spark.core.errors import UserError

_FILES_AT_ONCE = 16
_MOST_BLANKS = 100
"""Letters at the beginning of a text that are looked at for one that is not blank."""
_BYTE_ORDER_MARK = "\ufeff"
_THRIFT_SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
_GO_BEFORE = ("HIVE_SERVER2_THRIFT_BIND_HOST", "HIVE_SERVER2_THRIFT_PORT")
"""Variables of the environment that the server obeys whatever it is told."""
_CREATE_ABSENT = "fs.option.create.conditional.overwrite"
"""What S3A calls a creation that the store refuses where the object is there (`If-None-Match`);
without it, S3A looks, and then writes whatever has come meanwhile."""
_IS_THERE = (
    "FileAlreadyExistsException",
    "AlreadyBeingCreatedException",  # HDFS, while another one writes it
    "RemoteFileChangedException",  # S3A, of a conditional creation
)
"""What is said of a file that is there."""
_ASKED_FOR_EACH_COLUMN = {
    "org.apache.spark.sql.functions": "org.apache.spark.sql.functions",
    "functions": "org.apache.spark.sql.functions",
    "PythonUtils": "org.apache.spark.api.python.PythonUtils",
    "PythonSQLUtils": "org.apache.spark.sql.api.python.PythonSQLUtils",
    "org.apache.spark.sql.classic.SparkSession": "org.apache.spark.sql.classic.SparkSession",
}
"""Names by which PySpark looks a class up, to the class."""
_Read = TypeVar("_Read")


class FileExists(Exception):
    """A file that was to be created is there already."""


class JvmError(Exception):
    """What the JVM says of what it cannot do."""


class HadoopFolder:
    """A folder of any file system that Hadoop knows.

    Args:
        spark: the session.
        place: folder or URI.

    Raises:
        JvmError: if Spark has no such file system.
    """

    def __init__(self, spark: SparkSession, place: str) -> None:
        self._jvm, configuration = _jvm(spark)
        self._folder = self._jvm.org.apache.hadoop.fs.Path(place)
        try:
            self._files = self._folder.getFileSystem(configuration)
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None

    def names(self) -> list[str]:
        """Names of what lies in it; none where it is not there.

        Raises:
            JvmError: if it cannot be listed.
        """
        # Without a filter S3A gives an array of a type of its own, which Py4J hands to no method.
        every_name = self._jvm.org.apache.hadoop.fs.GlobFilter("*")
        try:
            statuses = self._files.listStatus(self._folder, every_name)
        except Py4JJavaError as error:
            if error.java_exception.getClass().getSimpleName() != "FileNotFoundException":
                raise JvmError(_message(error)) from None
            return []
        listed = self._jvm.org.apache.hadoop.fs.FileUtil.stat2Paths(statuses)
        # As one text: asking for each name would be a call into the JVM.
        text = self._jvm.org.apache.commons.lang3.ArrayUtils.toString(listed)
        return re.findall(r"/([^/,{}]+)(?=[,}])", text)

    def lines(self, name: str) -> Iterator[str]:
        """Lines of a text file, in UTF-8.

        Raises:
            JvmError: if it cannot be read.
        """
        try:
            stream = self._files.open(self._path(name))
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None
        text = self._jvm.java.io.InputStreamReader(stream, "UTF-8")
        lines = self._jvm.java.io.BufferedReader(text)
        try:
            while (line := lines.readLine()) is not None:
                yield line
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None
        finally:
            lines.close()

    def create(self, name: str, content: str) -> None:
        """Creates a file that is not there yet, in one step where the file system can.

        Raises:
            FileExists: if it is there.
            JvmError: if it cannot be written.
        """
        path = self._path(name)
        try:
            if self._files.hasPathCapability(path, _CREATE_ABSENT):
                stream = self._files.createFile(path).must(_CREATE_ABSENT, True).build()
            else:
                stream = self._files.create(path, False)
            stream.write(bytearray(content.encode()))
            stream.close()
        except Py4JJavaError as error:
            kind = error.java_exception.getClass().getSimpleName()
            if kind == "RemoteException":  # what a server of Hadoop said
                kind = str(error.java_exception.getClassName()).rpartition(".")[2]
            if kind in _IS_THERE:
                raise FileExists(name) from None
            raise JvmError(f"{kind}: {_message(error)}") from None

    def delete(self, name: str, with_content: bool = False) -> None:
        """Removes a file, or a folder with what lies in it; nothing where there is none.

        Raises:
            JvmError: if it cannot be removed.
        """
        try:
            self._files.delete(self._path(name), with_content)
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder.

        Raises:
            JvmError: if it cannot be told.
        """
        try:
            return bool(self._files.exists(self._path(name)))
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None

    def make_folder(self, name: str) -> None:
        """Makes a folder, and those it lies in.

        Raises:
            JvmError: if it cannot be made.
        """
        try:
            is_made = self._files.mkdirs(self._path(name))
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None
        if not is_made:
            raise JvmError("no folder can be made there")

    def move(self, name: str, to: str) -> None:
        """Gives a file or folder another name, which must not be taken.

        Raises:
            JvmError: if it cannot be moved.
        """
        if self.exists(to):  # HDFS would move it into a folder of that name
            raise JvmError(f"{to} is there already")
        try:
            is_moved = self._files.rename(self._path(name), self._path(to))
        except Py4JJavaError as error:
            raise JvmError(_message(error)) from None
        if not is_moved:
            raise JvmError(f"{to} cannot be put there")

    def _path(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._folder, name)


class _KnownClass(JavaClass):  # type: ignore[misc] # Py4J has no types
    """A class of the JVM that looks each of its static methods up once."""

    def __getattr__(self, name: str) -> Any:
        member = super().__getattr__(name)
        if not name.startswith("_"):
            self.__dict__[name] = member
        return member


def know_functions(spark: SparkSession) -> None:
    """Lets PySpark find its functions without asking the JVM.

    For each `F.col` it asks which class `functions` is, and then whether that has a `col`: eight
    thousand questions in a run of a small shop, and a twelfth of its time
    (`findings/pyspark_looks_up_functions.sh`).
    """
    jvm, _ = _jvm(spark)
    for name, known in _ASKED_FOR_EACH_COLUMN.items():
        setattr(jvm, name, _KnownClass(known, jvm._gateway_client))


def default_file_system(spark: SparkSession) -> str:
    """The URI that a path without a scheme belongs to."""
    _, configuration = _jvm(spark)
    return str(configuration.get("fs.defaultFS"))


def qualified(spark: SparkSession, path: str) -> str:
    """A path as a whole URI: with its scheme, its host, and without `..`.

    Raises:
        JvmError: if Spark has no such file system.
    """
    jvm, configuration = _jvm(spark)
    try:
        of_hadoop = jvm.org.apache.hadoop.fs.Path(path)
        return str(of_hadoop.getFileSystem(configuration).makeQualified(of_hadoop).toString())
    except Py4JJavaError as error:
        raise JvmError(_message(error)) from None


def parquet_schemas(spark: SparkSession, files: Sequence[str]) -> list[str]:
    """Schemas of Parquet files as text, from the end of each.

    Raises:
        JvmError: naming a file that is not Parquet, or cannot be read.
    """
    jvm, configuration = _jvm(spark)
    # Every dot of a class's name asks the JVM, so each is looked up once.
    to_path, parquet = jvm.org.apache.hadoop.fs.Path, jvm.org.apache.parquet.hadoop
    to_input, to_reader = parquet.util.HadoopInputFile.fromPath, parquet.ParquetFileReader.open
    # Without options of its own each reader would parse Hadoop's configuration files once more.
    options = jvm.org.apache.parquet.HadoopReadOptions.builder(configuration).build()

    def schema(file: str) -> str:
        try:
            reader = to_reader(to_input(to_path(file), configuration), options)
            try:
                return str(reader.getFileMetaData().getSchema().toString())
            finally:
                reader.close()
        except Py4JJavaError as error:
            raise JvmError(f"{file} cannot be read as parquet: {_message(error)}") from None

    return _of_each(files, schema)


def csv_of_texts(reader: DataFrameReader, texts: DataFrame) -> DataFrame:
    """Rows of CSV that is given as text; Spark 4.1 has no `DataFrameReader.csv` for it in Python.

    Args:
        reader: with the options.
        texts: one line a row, its only column.
    """
    jvm, _ = _jvm(texts.sparkSession)
    as_texts = getattr(texts._jdf, "as")
    rows = reader._jreader.csv(as_texts(jvm.org.apache.spark.sql.Encoders.STRING()))
    return DataFrame(rows, texts.sparkSession)


def first_lines(spark: SparkSession, files: Sequence[str], encoding: str) -> list[str]:
    """The first line of each text file that is not blank, uncompressed; empty where none is.

    It is empty as well of a file that nothing here can unpack.

    Raises:
        JvmError: naming a file that cannot be read, or an encoding that Java does not know.
    """

    def first_line(lines: Iterator[str]) -> str:
        return next((line for line in lines if line.strip()), "")

    return of_lines(spark, files, encoding, first_line)


def of_lines(
    spark: SparkSession,
    files: Sequence[str],
    encoding: str,
    read: Callable[[Iterator[str]], _Read],
) -> list[_Read]:
    """What is read of the first lines of each text file, uncompressed.

    Args:
        spark: the session.
        files: the files.
        encoding: of all.
        read: takes as many lines as it needs; there are none where nothing here can unpack a file.

    Raises:
        JvmError: naming a file that cannot be read, or an encoding that Java does not know.
    """

    def lines(reader: Any) -> Iterator[str]:
        while reader is not None and (line := reader.readLine()) is not None:
            yield line

    return _of_texts(spark, files, encoding, lambda reader: read(lines(reader)))


def first_letters(spark: SparkSession, files: Sequence[str], encoding: str) -> list[str]:
    """The first letter of each text file, as `first_lines`: a line may be as long as the file."""

    def first_letter(reader: Any) -> str:
        for _ in range(_MOST_BLANKS if reader is not None else 0):
            code = reader.read()
            if code < 0:
                return ""
            if (letter := chr(code)).strip(_BYTE_ORDER_MARK).strip():
                return letter
        return ""

    return _of_texts(spark, files, encoding, first_letter)


def _of_texts(
    spark: SparkSession, files: Sequence[str], encoding: str, read: Callable[[Any], _Read]
) -> list[_Read]:
    """What is read of each text file, uncompressed; of None where nothing here can unpack it."""
    jvm, configuration = _jvm(spark)
    # Each name of a class is several questions to the JVM: they are asked once.
    to_path, to_buffered = jvm.org.apache.hadoop.fs.Path, jvm.java.io.BufferedReader
    to_reader = jvm.java.io.InputStreamReader
    codecs = jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(configuration)

    def of_file(file: str) -> _Read:
        try:
            path = to_path(file)
            stream, codec = path.getFileSystem(configuration).open(path), codecs.getCodec(path)
            try:
                content = stream if codec is None else _unpacked(spark, codec, stream)
                if content is None:
                    return read(None)
                return read(to_buffered(to_reader(content, encoding)))
            finally:
                stream.close()
        except Py4JJavaError as error:
            raise JvmError(f"{file} cannot be read as text: {_message(error)}") from None

    return _of_each(files, of_file)


def _unpacked(spark: SparkSession, codec: Any, stream: Any) -> Any | None:
    """What is in a compressed file; None where there is no library for it."""
    try:
        return codec.createInputStream(stream)
    except Py4JJavaError:
        if codec.getDefaultExtension() != ".zst":
            return None
    # Of Zstandard, Hadoop needs a library of the machine; Spark brings its own, and reads by it.
    jvm, _ = _jvm(spark)
    settings = spark._jsparkSession.sparkContext().conf()
    return jvm.org.apache.spark.io.ZStdCompressionCodec(settings).compressedInputStream(stream)


def _of_each(files: Sequence[str], read: Callable[[str], _Read]) -> list[_Read]:
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:  # each waits for the file system
        return list(threads.map(read, files))


def jar_of(spark: SparkSession, class_name: str) -> str | None:
    """Where a class was loaded from; None where the session does not have it, or does not say."""
    jvm, _ = _jvm(spark)
    try:
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        loaded = jvm.java.lang.Class.forName(class_name, False, loader)
        source = loaded.getProtectionDomain().getCodeSource()
        return None if source is None else str(source.getLocation().toString())
    except Py4JJavaError:
        return None


class ThriftServer:
    """Spark's Thrift server, which speaks the protocol of HiveServer2, until it is stopped.

    Each client has a session of its own, made from the given one.

    Args:
        spark: the session.
        host: name or address to listen at.
        port: to listen at; 0 for one that is free.

    Raises:
        JvmError: if Spark has no such server, or it cannot listen there.
    """

    def __init__(self, spark: SparkSession, host: str, port: int) -> None:
        jvm, _ = _jvm(spark)
        if jar_of(spark, _THRIFT_SERVER) is None:
            raise JvmError("this Spark has no spark-hive-thriftserver among its jars")
        environment = jvm.java.lang.System.getenv()
        if found := [name for name in _GO_BEFORE if name in environment]:
            raise JvmError(f"{' and '.join(found)} of the environment would be obeyed: unset it")
        # The embedded database of Hive would write down in this folder that it was started.
        jvm.java.lang.System.setProperty("derby.stream.error.field", "java.lang.System.err")
        # Clients such as impyla ask for the log of each query: it is for this user alone.
        self._logs = TemporaryDirectory(prefix="rfm-spark-serve-")
        for name, value in {
            "hive.server2.thrift.bind.host": host,
            "hive.server2.thrift.port": str(port),
            "hive.server2.logging.operation.log.location": self._logs.name,
        }.items():
            spark.conf.set(name, value)
        start = jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithSparkSession
        try:
            self._server = start(spark._jsparkSession, False)
        except Py4JJavaError as error:
            self._logs.cleanup()
            raise JvmError(_first_cause(error)) from None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: an address and a port."""
        _, wire = self._server.getServices()
        return str(wire.getServerIPAddress().getHostAddress()), int(wire.getPortNumber())

    def stop(self) -> None:
        """Ends it, and the sessions of its clients."""
        self._server.stop()
        self._logs.cleanup()


def _jvm(spark: SparkSession) -> tuple[Any, Any]:
    """The JVM, and Hadoop's configuration in it.

    Raises:
        UserError: over Spark Connect.
    """
    try:
        context: Any = spark.sparkContext
    except PySparkException:
        raise UserError(
            "this session is one of Spark Connect, which reaches no single files and no "
            "Thrift server: use a classic session (spark-submit, or the embedded one)"
        ) from None
    return context._jvm, context._jsc.hadoopConfiguration()


def _message(error: Py4JJavaError) -> str:
    return str(error.java_exception.getMessage()).strip().splitlines()[0][:300]


def _first_cause(error: Py4JJavaError) -> str:
    """What an error that others wrap says."""
    cause = error.java_exception
    while (deeper := cause.getCause()) is not None:
        cause = deeper
    return str(cause.getMessage() or cause.getClass().getSimpleName()).strip().splitlines()[0][:300]
