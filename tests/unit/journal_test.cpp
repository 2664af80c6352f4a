// SPDX-License-Identifier: GPL-2.0-or-later
// Entries of the journal, byte by byte, and how they get to a socket: one that this test listens at.
#include "journal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace statnat {
namespace {

using namespace std::string_literals;

TEST(JournalEntry, AValueOfOneLineFollowsAnEqualsSign) {
    EXPECT_EQ(journal_entry({{"MESSAGE", "added 2 pairs"}, {"PRIORITY", "6"}}), "MESSAGE=added 2 pairs\nPRIORITY=6\n");
    EXPECT_EQ(journal_entry({{"EMPTY", ""}, {"EQUALS", "a=b"}}), "EMPTY=\nEQUALS=a=b\n");
    EXPECT_EQ(journal_entry({}), "");
}

TEST(JournalEntry, AValueOfSeveralLinesHasItsSizeBeforeIt) {
    EXPECT_EQ(journal_entry({{"MESSAGE", "a\nPRIORITY=0"}}), "MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n"s);
    EXPECT_EQ(journal_entry({{"A", std::string(0x102, '\n')}}),
              "A\n\x02\x01\0\0\0\0\0\0"s + std::string(0x102, '\n') + "\n");
}

TEST(JournalEntry, BytesStayAsTheyAre) {
    EXPECT_EQ(journal_entry({{"A", "\0\xff=\r"s}}), "A=\0\xff=\r\n"s);
    EXPECT_EQ(journal_entry({{"A", "\0\n\xff"s}}), "A\n\x03\0\0\0\0\0\0\0\0\n\xff\n"s);
}

// A socket in a folder of its own, as journald has one.
class Listening : public ::testing::Test {
protected:
    Listening() {
        std::string folder = std::filesystem::temp_directory_path() / "statnat-journal-XXXXXX";
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        folder_ = folder;
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        std::memcpy(here.sun_path, path().data(), path().size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    }
    ~Listening() override {
        ::close(socket_);
        std::filesystem::remove_all(folder_);
    }

    std::string path() const { return folder_ / "socket"; }

    // What has come, from the datagram or from the file that came with it.
    std::string received() const {
        std::string bytes(1 << 20, '\0');
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        iovec into{bytes.data(), bytes.size()};
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        bytes.resize(static_cast<std::size_t>(::recvmsg(socket_, &message, 0)));
        if (const cmsghdr* const rights = CMSG_FIRSTHDR(&message)) {
            int file = -1;
            std::memcpy(&file, CMSG_DATA(rights), sizeof file);
            EXPECT_EQ(bytes, "");
            EXPECT_EQ(::fcntl(file, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
            struct stat properties {};
            EXPECT_EQ(::fstat(file, &properties), 0);
            bytes.resize(static_cast<std::size_t>(properties.st_size));
            EXPECT_EQ(::pread(file, bytes.data(), bytes.size(), 0), properties.st_size);
            ::close(file);
        }
        return bytes;
    }

private:
    std::filesystem::path folder_;
    int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(Listening, AnEntryIsADatagram) {
    EXPECT_TRUE(Journal(path()).send({{"MESSAGE", "one\ntwo"}}));
    EXPECT_EQ(received(), journal_entry({{"MESSAGE", "one\ntwo"}}));
}

TEST_F(Listening, WhatIsLongerThanADatagramComesAsASealedFile) {
    const Fields fields{{"MESSAGE", std::string(8 << 20, 'x')}, {"PRIORITY", "3"}};
    EXPECT_TRUE(Journal(path()).send(fields));
    EXPECT_TRUE(received() == journal_entry(fields));
}

TEST_F(Listening, NobodyThereIsSaid) {
    EXPECT_FALSE(Journal(path() + "-gone").send({{"MESSAGE", "lost"}}));
    EXPECT_FALSE(Journal(std::string(200, 'x')).send({{"MESSAGE", "lost"}}));
}

TEST(JournalStream, IsToldByDeviceAndInode) {
    struct stat file {};
    ASSERT_EQ(::fstat(STDERR_FILENO, &file), 0);
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", file.st_dev, file.st_ino).c_str(), 1);
    EXPECT_TRUE(Journal::is_behind(STDERR_FILENO));
    ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", file.st_dev, file.st_ino + 1).c_str(), 1);
    EXPECT_FALSE(Journal::is_behind(STDERR_FILENO));
    ::unsetenv("JOURNAL_STREAM");
    EXPECT_FALSE(Journal::is_behind(STDERR_FILENO));
    EXPECT_FALSE(Journal::is_behind(-1));
}

}  // namespace
}  // namespace statnat
